import { sql } from 'kysely';
import type { Log } from '../../shared/log.ts';
import type { Vault } from '../../shared/secrets/vault.ts';
import { operationMessageKey } from './notifications.ts';
import { execCommandName, execOutputName, jobFieldName, linkVaultId } from './sealed-names.ts';
import type { Store, Trx } from './store/store.ts';
import { forgetOldMessages } from './telegram/messages.ts';

/** Lets go of what has done its work: told outputs, sent outbox rows, update ids that Telegram cannot repeat. */

const hour = 3_600_000;

/** Telegram keeps an update for 24 hours at most. */
const updatesKept = 7 * 24 * hour;
/** Sent rows stay longer than the jobs they became, so that the sweeper can make them again. */
const outboxKept = 3 * 24 * hour;
/** Old messages keep their buttons, which still work; they only can no longer be edited. */
const messagesKept = 30 * 24 * hour;
/** Long enough for a message that Telegram lost to be sent anew. */
const outputsKept = hour;

const before = (now: Date, age: number): string => new Date(now.getTime() - age).toISOString();

/** Names of commands and outputs end in their operation's id. */
const operationOf = sql<string>`substr(sealed_values.name, instr(sealed_values.name, ':') + 1)`;

/** Names of a job's sealed fields: `job:<job id>:<field>`. */
const jobOf = sql<string>`substr(sealed_values.name, 5, instr(substr(sealed_values.name, 5), ':') - 1)`;

/**
 * Commands and outputs of `/exec` that the chat has shown, or that nobody can be shown any more: their message is
 * forgotten, or the operation was refused. Gives how many it forgot.
 */
export const forgetToldOutputs = async (trx: Trx, vault: Vault, now: Date): Promise<number> => {
  const told = await trx
    .selectFrom('sealed_values')
    .leftJoin('operations', (join) => join.on('operations.operation_id', '=', operationOf))
    .leftJoin('messages', (join) =>
      join.on('messages.key', '=', sql<string>`${operationMessageKey('')} || ${operationOf}`),
    )
    .select(['sealed_values.vm_id', 'sealed_values.name'])
    .where((where) =>
      where.or([
        where('sealed_values.name', 'like', `${execCommandName('')}%`),
        where('sealed_values.name', 'like', `${execOutputName('')}%`),
      ]),
    )
    .where((where) =>
      where.or([
        where('operations.operation_id', 'is', null),
        where.and([
          where('operations.ended_at', '<', before(now, outputsKept)),
          where.or([
            where('messages.key', 'is', null),
            where('messages.delivered_revision', '>=', where.ref('messages.revision')),
          ]),
        ]),
      ]),
    )
    .limit(1_000)
    .execute();
  for (const { vm_id, name } of told) await vault.forget(trx, vm_id, name);
  return told.length;
};

/** Tickets whose link is no longer good. */
export const forgetOldTickets = async (trx: Trx, vault: Vault, now: Date): Promise<void> => {
  const old = await trx
    .selectFrom('vm_keys')
    .innerJoin('operations', (join) =>
      join.on('vm_keys.vm_id', '=', sql<string>`${linkVaultId('')} || operations.operation_id`),
    )
    .select('vm_keys.vm_id')
    .where('operations.kind', '=', 'link')
    .where('operations.ended_at', '<', before(now, outputsKept))
    .limit(1_000)
    .execute();
  for (const { vm_id } of old) await vault.destroyKey(trx, vm_id);
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
  // What a row left sealed goes with it.
  await trx
    .deleteFrom('sealed_values')
    .where('name', 'like', `${jobFieldName('', '').slice(0, -1)}%`)
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('outbox')
            .select('outbox.id')
            .where('outbox.kind', '=', 'job')
            .where('outbox.job_id', '=', jobOf),
        ),
      ),
    )
    .execute();
};

/** Until then the write-ahead log still holds pages with what was deleted, keys of destroyed VMs among them. */
export const emptyLog = async ({ db }: Pick<Store, 'db'>): Promise<void> => {
  await sql`pragma wal_checkpoint(truncate)`.execute(db);
};

const keepHouse = async (store: Store, vault: Vault, now: Date): Promise<void> => {
  await store.transaction(async (trx) => {
    await forgetToldOutputs(trx, vault, now);
    await forgetOldTickets(trx, vault, now);
    await forgetOldRows(trx, now);
    await forgetOldMessages(trx, before(now, messagesKept));
  });
  await emptyLog(store);
};

/** Once at the start, then every ten minutes. */
export const startHousekeeping = ({ store, vault, log }: { store: Store; vault: Vault; log: Log }) => {
  let running: Promise<void> = Promise.resolve();
  const run = (): void => {
    running = keepHouse(store, vault, new Date()).catch((err) => log.warn({ err }, 'housekeeping failed'));
  };
  run();
  const timer = setInterval(run, hour / 6);
  return {
    close: (): Promise<void> => {
      clearInterval(timer);
      return running;
    },
  };
};
