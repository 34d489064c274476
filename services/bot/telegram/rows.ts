import { type Kysely, sql } from 'kysely';
import { sideEffect } from '../../../shared/failpoint.ts';
import type { Database, MessageRow } from '../store/schema.ts';

/** The sender's questions to the table of messages. */

type Db = Kysely<Database>;

/**
 * The next undelivered row of each chat: new messages in the order they were written in, then edits. However much
 * waits in one chat, no other starves. The index is named because SQLite would otherwise walk through every
 * message ever sent, at every look.
 */
export const findNextOfEachChat = async (
  db: Db,
  without: { chats: readonly number[]; keys: readonly string[] },
): Promise<MessageRow[]> => {
  const { rows } = await sql<MessageRow>`
    select * from messages where rowid in (
      select rowid from (
        select rowid, row_number() over (partition by chat_id order by message_id is not null, rowid) as place
        from messages indexed by messages_undelivered
        where delivered_revision < revision and state <> 'undeliverable'
          and chat_id not in (select value from json_each(${JSON.stringify(without.chats)}))
          and key not in (select value from json_each(${JSON.stringify(without.keys)}))
      ) where place = 1
    ) order by rowid`.execute(db);
  return rows;
};

export const findRows = (db: Db, keys: readonly string[]): Promise<MessageRow[]> =>
  db
    .selectFrom('messages')
    .selectAll()
    .where('key', 'in', sql<string>`(select value from json_each(${JSON.stringify(keys)}))`)
    .execute();

export const changeRow = async (db: Db, key: string, changes: Partial<MessageRow>): Promise<void> => {
  await sideEffect('store: note a delivery', () =>
    db.updateTable('messages').set(changes).where('key', '=', key).execute(),
  );
};

/** Puts the row aside as it was read; a revision that was written meanwhile has its own chance. */
export const refuseRevision = async (db: Db, { key, revision }: MessageRow): Promise<void> => {
  await sideEffect('store: put a message aside', () =>
    db
      .updateTable('messages')
      .set({ state: 'undeliverable' })
      .where('key', '=', key)
      .where('revision', '=', revision)
      .execute(),
  );
};
