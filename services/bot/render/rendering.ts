import type { Vault } from '../../../shared/secrets/vault.ts';
import type { BotConfig, Db } from '../conversation.ts';
import type { Elapsed } from '../elapsed.ts';
import type { Button, FmtString } from '../format/rich-text.ts';
import type { KnownHosts } from '../hosts.ts';
import { findNames } from '../names.ts';
import type { ProgressBoard } from '../progress-board.ts';
import { findSettings, findUser, findVm } from '../queries.ts';
import { passwordName } from '../sealed-names.ts';
import type { OperationRow, VmRow } from '../store/schema.ts';
import type { Terminals } from '../terminals.ts';
import { vmButtons } from '../texts/buttons.ts';
import type { OperationInWords } from '../texts/operations.ts';
import type { OrderInWords } from '../texts/orders.ts';
import { accessInWords } from '../texts/vms.ts';

/** What every message is made with, and what several kinds of messages show. */

export type Rendering = {
  db: Db;
  vault: Vault;
  config: Pick<BotConfig, 'SSH_PUBLIC_HOST' | 'ADMIN_USER_ID' | 'INSTANCE' | 'HOST_ID'>;
  board: ProgressBoard;
  hosts: KnownHosts;
  terminals: Pick<Terminals, 'countOf'>;
  elapsed: Elapsed;
  now: () => number;
};

const orderInWords = async (operation: OperationRow, { db }: Rendering): Promise<OrderInWords | null> => {
  const { order_reason: reason, order_by: by, order_note: note, order_used_bytes: usedBytes } = operation;
  if (reason === null) return null;
  const limitBytes =
    (operation.vm_id === null ? undefined : await findVm(db, operation.vm_id))?.disk_bytes ?? 0;
  const disk = usedBytes === null ? null : { usedBytes, limitBytes };
  return { reason, note, disk, who: by === null ? null : (await findNames(db))(by) };
};

/** `name`: the VM's, or what else the operation is about. */
export const wordsFor = async (
  operation: OperationRow,
  name: string,
  rendering: Rendering,
): Promise<OperationInWords> => {
  const { board, hosts, elapsed, now } = rendering;
  const progress = board.of(operation.operation_id, operation.host);
  return {
    kind: operation.kind,
    status: operation.status,
    name,
    operationId: operation.operation_id,
    elapsedMs: elapsed.of(operation.operation_id, {
      since: Date.parse(operation.requested_at),
      end: operation.ended_at === null ? null : Date.parse(operation.ended_at),
      now: now(),
    }),
    reasonCode: operation.reason_code,
    reasonDetail: operation.reason_detail,
    cancelling: operation.cancelling === 1,
    ahead: progress.ahead,
    step: progress.step,
    stepDetail: progress.detail,
    trouble: operation.status === 'open' ? hosts.troubleOf(operation.host) : null,
    order: await orderInWords(operation, rendering),
  };
};

export const accessTo = async (vm: VmRow, { db, vault, config }: Rendering): Promise<FmtString> =>
  accessInWords(vm, config.SSH_PUBLIC_HOST, await vault.unseal(db, vm.vm_id, passwordName));

/** The next steps that its owner would be allowed: none for somebody off the list, no start during maintenance. */
export const buttonsFor = async (vm: VmRow, { db, config }: Rendering): Promise<Button[][]> => {
  const isAdministrator = config.ADMIN_USER_ID.includes(vm.owner);
  if (isAdministrator) return vmButtons(vm);
  const owner = await findUser(db, vm.owner);
  if (owner?.status !== 'allowed') return [];
  const { maintenance_since: maintenance } = await findSettings(db);
  return vmButtons(vm, { mayStart: maintenance === null });
};
