import { createHash } from 'node:crypto';
import type { Event } from '../../shared/event-store/schema.ts';
import { isRemovable, type StrayEvent } from '../../shared/stray/stray.ts';
import type { Db } from './conversation.ts';
import type { StrayRow } from './store/schema.ts';
import type { Trx } from './store/store.ts';
import { post, showAgain } from './telegram/messages.ts';

/**
 * What no VM accounts for, as the administrators see it: container and volume of one unknown VM are one matter for them,
 * told once, with buttons to have it removed.
 */

/** The rows of one matter: all of an unknown VM, else a single thing. */
export type StrayGroup = { mark: string; rows: StrayRow[] };

/** What a button calls a group by: callback data has no room for names. */
const markOf = ({ host, key, reason, vm_id }: StrayRow): string =>
  createHash('sha256')
    .update(JSON.stringify(reason === 'unknown-vm' ? [host, vm_id] : [host, key]))
    .digest('base64url')
    .slice(0, 20);

export const groupStrays = (rows: readonly StrayRow[]): StrayGroup[] =>
  [...Map.groupBy(rows, markOf)].map(([mark, rows]) => ({ mark, rows }));

/** Those that are there, in the order in which they were told. */
export const findStrays = (db: Db): Promise<StrayRow[]> =>
  db
    .selectFrom('strays')
    .selectAll()
    .where('gone_at', 'is', null)
    .orderBy('found_position')
    .orderBy('host')
    .orderBy('vm_id')
    .orderBy('kind')
    .orderBy('key')
    .execute();

/** Those that were told by one event, gone or not. */
export const findStraysToldAt = (db: Db, position: number): Promise<StrayRow[]> =>
  db
    .selectFrom('strays')
    .selectAll()
    .where('found_position', '=', position)
    .orderBy('vm_id')
    .orderBy('kind')
    .orderBy('key')
    .execute();

export const findStraysOfOperation = (db: Db, operationId: string): Promise<StrayRow[]> =>
  db
    .selectFrom('strays')
    .selectAll()
    .where('operation_id', '=', operationId)
    .orderBy('vm_id')
    .orderBy('kind')
    .execute();

/** There, not on their way out, and nobody's. */
export const mayGo = (row: StrayRow): boolean =>
  row.gone_at === null && row.operation_id === null && isRemovable(row);

const messageKey = (position: number, administrator: number): string => `strays:${position}:${administrator}`;

/** Of a host whose strays have changed, the messages that told them. */
const refreshMessages = async (
  trx: Trx,
  { host, at }: StrayEvent['data'],
  administrators: readonly number[],
): Promise<void> => {
  const rows = await trx
    .selectFrom('strays')
    .select('found_position')
    .distinct()
    .where('host', '=', host)
    .where(({ eb, or }) => or([eb('gone_at', 'is', null), eb('gone_at', '>=', at)]))
    .execute();
  for (const { found_position } of rows) {
    for (const administrator of administrators) {
      await showAgain(trx, messageKey(found_position, administrator));
    }
  }
};

/** Every administrator hears of each stray once; the messages then show what became of it. */
export const tellOfStrays = async (
  trx: Trx,
  event: Event<StrayEvent>,
  administrators: readonly number[],
): Promise<void> => {
  if (event.type !== 'StraysFound') return refreshMessages(trx, event.data, administrators);
  const { position } = event;
  for (const chatId of administrators) {
    await post(trx, { key: messageKey(position, chatId), chatId, view: { kind: 'strays', position } });
  }
};
