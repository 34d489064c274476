import type { Vault } from '../../shared/secrets/vault.ts';
import type { Trx } from './conversation.ts';
import { operationMessageKey } from './notifications.ts';
import { execCommandName, execOutputName } from './sealed-names.ts';

/** Lets go of what has done its work: told outputs, sent outbox rows, update ids that Telegram cannot repeat. */

const hour = 3_600_000;

/** Telegram keeps an update for 24 hours at most. */
const updatesKept = 7 * 24 * hour;
/** Sent rows stay longer than the jobs they became, so that the sweeper can make them again. */
const outboxKept = 3 * 24 * hour;
/** Long enough for a message that Telegram lost to be sent anew. */
const outputsKept = hour;

const before = (now: Date, age: number): string => new Date(now.getTime() - age).toISOString();

export const forgetToldOutputs = async (trx: Trx, vault: Vault, now: Date): Promise<number> => {
  const told = await trx
    .selectFrom('sealed_values')
    .innerJoin('operations', 'operations.vm_id', 'sealed_values.vm_id')
    .innerJoin('messages', (join) =>
      join.on((on) => on('messages.key', '=', on.fn<string>('concat', [on.val(operationMessageKey('')), 'operations.operation_id']))),
    )
    .select(['operations.operation_id', 'operations.vm_id'])
    .distinct()
    .where('operations.kind', '=', 'exec')
    .where('operations.ended_at', '<', before(now, outputsKept))
    .whereRef('messages.delivered_revision', '>=', 'messages.revision')
    .where((where) =>
      where.or([
        where('sealed_values.name', '=', where.fn<string>('concat', [where.val(execCommandName('')), 'operations.operation_id'])),
        where('sealed_values.name', '=', where.fn<string>('concat', [where.val(execOutputName('')), 'operations.operation_id'])),
      ]),
    )
    .limit(1_000)
    .execute();
  for (const { operation_id, vm_id } of told) {
    await vault.forget(trx, vm_id, execCommandName(operation_id));
    await vault.forget(trx, vm_id, execOutputName(operation_id));
  }
  return told.length;
};

export const forgetOldRows = async (trx: Trx, now: Date): Promise<void> => {
  await trx.deleteFrom('updates').where('received_at', '<', before(now, updatesKept)).execute();
  await trx
    .deleteFrom('outbox')
    .where('sent_at', '<', before(now, outboxKept))
    .where('operation_id', 'not in', (open) =>
      open.selectFrom('operations').select('operation_id').where('status', '=', 'open'),
    )
    .execute();
};
