import type { Kysely } from 'kysely';
import type { Access } from '../../../../queues/catalog.ts';
import { cryptPassword } from '../../../../shared/secrets/password.ts';
import type { Vault } from '../../../../shared/secrets/vault.ts';
import { findSshKeys } from '../../queries.ts';
import { passwordName } from '../../sealed-names.ts';
import type { Database, VmRow } from '../schema.ts';

/** `revision`: the event's place in the log, so that the newest state wins in the VM. */
export const accessTo = async (
  db: Kysely<Database>,
  vault: Vault,
  vm: Pick<VmRow, 'vm_id' | 'owner'>,
  { password, revision }: { password: string | null; revision: number },
): Promise<Access> => {
  const opens = password ?? (await vault.unseal(db, vm.vm_id, passwordName));
  if (opens === null) throw new Error(`VM ${vm.vm_id} has no password`);
  const keys = await findSshKeys(db, vm.owner);
  return {
    passwordHash: cryptPassword(opens),
    authorizedKeys: keys.map(({ line }) => line),
    revision,
  };
};
