import type { Kysely } from 'kysely';
import type { Database } from '../../services/bot/store/schema.ts';
import { createVault } from '../../shared/secrets/vault.ts';

/** Whether the master key opens everything that is sealed: one value of every VM is tried. */
export const opensDatabase = async (db: Kysely<Database>, masterKey: Buffer): Promise<boolean> => {
  const vault = createVault(masterKey);
  const sealed = await db
    .selectFrom('sealed_values')
    .innerJoin('vm_keys', 'vm_keys.vm_id', 'sealed_values.vm_id')
    .select(({ fn }) => ['sealed_values.vm_id', fn.min('sealed_values.name').as('name')])
    .groupBy('sealed_values.vm_id')
    .execute();
  try {
    for (const { vm_id, name } of sealed) await vault.unsealBytes(db, vm_id, name as string);
    return true;
  } catch {
    return false; // AES-GCM says no more than that: another key, or damaged
  }
};
