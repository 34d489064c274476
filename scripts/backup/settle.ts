import { sql } from 'kysely';
import { newId } from '../../services/bot/new-id.ts';
import { findOpenOperations, findVms } from '../../services/bot/queries.ts';
import { openSqlite } from '../../services/bot/store/dialect.ts';
import { isVmOperation, type UpdateRow } from '../../services/bot/store/schema.ts';
import type { Store, Trx } from '../../services/bot/store/store.ts';
import type { Metadata } from '../../shared/event-store/schema.ts';
import { vm, vmStream } from '../../shared/vm/decider.ts';

/**
 * A restored database is a memory of some moment; the VMs, the chats and Telegram have gone on since. Here it is made
 * fit to go on from that moment, in one transaction, so that nothing happens twice that may happen once only, and what
 * it says of its VMs becomes true again.
 */

export type Settled = { vms: number; continued: number; unknown: number };

/**
 * VMs remember the revision of the newest access they were given, which is an event's position, and refuse older ones.
 * What was recorded after the backup is lost: new events must lie behind anything it can have come to.
 */
const positionGap = 1_000_000_000;

const skipPositions = async (trx: Trx): Promise<void> => {
  await sql`update sqlite_sequence set seq = seq + ${positionGap} where name = 'events'`.execute(trx);
};

/**
 * A command may have run since, and its VM may have been restarted or made anew, and with it the mark that would keep it
 * from running again. So nobody runs it again, and the person is told that its outcome is unknown.
 */
const endCommands = async (store: Store, trx: Trx, metadata: Metadata, at: string): Promise<number> => {
  const open = (await findOpenOperations(trx)).filter(isVmOperation).filter(({ kind }) => kind === 'exec');
  for (const { operation_id: operationId, vm_id: vmId, chat } of open) {
    const data = { operationId, vmId, at, reason: { code: 'outcome-unknown' as const, detail: '' } };
    await store.handle(trx, vm, vmStream(vmId), { type: 'RecordFailed', data }, { ...metadata, chat });
    await trx
      .updateTable('outbox')
      .set({ sent_at: at })
      .where('operation_id', '=', operationId)
      .where('sent_at', 'is', null)
      .execute();
  }
  return open.length;
};

/**
 * Everything else that was accepted and had not ended is done to its end, however long ago that was: each of these looks
 * before it acts, and ends in the state that was last asked for. Their time begins anew.
 */
const continueOthers = async (trx: Trx, at: string): Promise<number> => {
  const open = (await findOpenOperations(trx)).filter(({ kind }) => kind !== 'exec' && kind !== 'link');
  for (const { operation_id, attempt } of open) {
    await trx
      .updateTable('outbox')
      .set({ sent_at: null, created_at: at })
      .where('kind', '=', 'job')
      .where('job_id', '=', `${operation_id}.${attempt}`)
      .execute();
  }
  return open.length;
};

/** Passwords and keys may have changed since: what the chat shows from now on is what the VMs are given again. */
const giveAccess = async (store: Store, trx: Trx, metadata: Metadata, at: string): Promise<number> => {
  const vms = await findVms(trx);
  for (const { vm_id: vmId } of vms) {
    const data = { operationId: newId(), vmId, at };
    await store.handle(trx, vm, vmStream(vmId), { type: 'UpdateKeys', data }, metadata);
  }
  return vms.length;
};

export const settle = (store: Store, now: Date): Promise<Settled> =>
  store.transaction(async (trx) => {
    const at = now.toISOString();
    const metadata: Metadata = { actor: null, chat: null, correlationId: newId(), causationId: 'restore' };
    await skipPositions(trx);
    const unknown = await endCommands(store, trx, metadata, at);
    const continued = await continueOthers(trx, at);
    const vms = await giveAccess(store, trx, metadata, at);
    return { vms, continued, unknown };
  });

/**
 * Takes over the ids of updates that a newer database has done: Telegram may hand out once more those of which it does
 * not know yet that they were taken, and a command among them must not run again.
 */
export const rememberUpdates = async (store: Store, newerDatabase: string): Promise<void> => {
  const newer = openSqlite(newerDatabase, { readonly: true });
  try {
    const updates = newer.prepare('select bot_id, update_id, received_at from updates').all() as UpdateRow[];
    await store.transaction(async (trx) => {
      for (const update of updates) {
        await trx
          .insertInto('updates')
          .values(update)
          .onConflict((conflict) => conflict.doNothing())
          .execute();
      }
    });
  } finally {
    newer.close();
  }
};
