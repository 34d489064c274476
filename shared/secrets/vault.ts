import { randomBytes } from 'node:crypto';
import type { Kysely, Transaction } from 'kysely';
import { decrypt, encrypt, keyBytes } from './sealing.ts';

/**
 * Seals values per VM with AES-256-GCM. Every VM has a key of its own, wrapped by the master key; with that key
 * destroyed nothing sealed for the VM can be read again, wherever copies of it may lie.
 */

export type SealedTables = {
  vm_keys: { vm_id: string; wrapped_key: Uint8Array };
  sealed_values: { vm_id: string; name: string; sealed: Uint8Array };
};

type Db<Tables extends SealedTables> = Kysely<Tables> | Transaction<Tables>;
type Trx<Tables extends SealedTables> = Transaction<Tables>;

const keyContext = (vmId: string): string => `key\0${vmId}`;
const valueContext = (vmId: string, name: string): string => `value\0${vmId}\0${name}`;

export const createVault = (masterKey: Buffer) => {
  const findKey = async (db: Kysely<SealedTables>, vmId: string): Promise<Buffer | null> => {
    const row = await db
      .selectFrom('vm_keys')
      .select('wrapped_key')
      .where('vm_id', '=', vmId)
      .executeTakeFirst();
    return row === undefined ? null : decrypt(masterKey, row.wrapped_key, keyContext(vmId));
  };

  const makeKey = async (trx: Transaction<SealedTables>, vmId: string): Promise<Buffer> => {
    const key = randomBytes(keyBytes);
    await trx
      .insertInto('vm_keys')
      .values({ vm_id: vmId, wrapped_key: encrypt(masterKey, key, keyContext(vmId)) })
      .execute();
    return key;
  };

  const sealBytes = async (trx: Transaction<SealedTables>, vmId: string, name: string, bytes: Buffer) => {
    const key = (await findKey(trx, vmId)) ?? (await makeKey(trx, vmId));
    const sealed = encrypt(key, bytes, valueContext(vmId, name));
    await trx
      .insertInto('sealed_values')
      .values({ vm_id: vmId, name, sealed })
      .onConflict((conflict) => conflict.columns(['vm_id', 'name']).doUpdateSet({ sealed }))
      .execute();
  };

  const unsealBytes = async (
    db: Kysely<SealedTables>,
    vmId: string,
    name: string,
  ): Promise<Buffer | null> => {
    const row = await db
      .selectFrom('sealed_values')
      .select('sealed')
      .where('vm_id', '=', vmId)
      .where('name', '=', name)
      .executeTakeFirst();
    const key = row === undefined ? null : await findKey(db, vmId);
    return row === undefined || key === null ? null : decrypt(key, row.sealed, valueContext(vmId, name));
  };

  // Kysely's types are invariant in the tables; this vault needs two of them, whatever else there is.
  const narrow = (db: unknown) => db as Kysely<SealedTables>;
  const narrowTrx = (trx: unknown) => trx as Transaction<SealedTables>;

  return {
    /** Seals under a name, in place of what had it before. Makes the VM's key where it has none. */
    seal: <T extends SealedTables>(
      trx: Trx<T>,
      vmId: string,
      name: string,
      plaintext: string,
    ): Promise<void> => sealBytes(narrowTrx(trx), vmId, name, Buffer.from(plaintext)),
    sealBytes: <T extends SealedTables>(
      trx: Trx<T>,
      vmId: string,
      name: string,
      bytes: Buffer,
    ): Promise<void> => sealBytes(narrowTrx(trx), vmId, name, bytes),
    /** Null where there is nothing, or the VM's key is destroyed. Throws when the master key is another one. */
    unseal: async <T extends SealedTables>(db: Db<T>, vmId: string, name: string): Promise<string | null> =>
      (await unsealBytes(narrow(db), vmId, name))?.toString() ?? null,
    unsealBytes: <T extends SealedTables>(db: Db<T>, vmId: string, name: string): Promise<Buffer | null> =>
      unsealBytes(narrow(db), vmId, name),
    forget: async <T extends SealedTables>(trx: Trx<T>, vmId: string, name: string): Promise<void> => {
      await narrowTrx(trx)
        .deleteFrom('sealed_values')
        .where('vm_id', '=', vmId)
        .where('name', '=', name)
        .execute();
    },
    /** After this nothing of the VM can be unsealed any more. */
    destroyKey: async <T extends SealedTables>(trx: Trx<T>, vmId: string): Promise<void> => {
      await narrowTrx(trx).deleteFrom('vm_keys').where('vm_id', '=', vmId).execute();
      await narrowTrx(trx).deleteFrom('sealed_values').where('vm_id', '=', vmId).execute();
    },
  };
};

export type Vault = ReturnType<typeof createVault>;
