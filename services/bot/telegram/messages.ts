import type { Trx } from '../store/store.ts';
import type { View } from '../view.ts';

/** What chats should show. Written in the transaction of whatever it tells of; the sender delivers it. */

export type Post = {
  /** What it is about. The same key again edits the same message. */
  key: string;
  chatId: number;
  view: View;
  replyTo?: number;
  /** Deliver anew although the view is the same: what it shows has changed. */
  bump?: boolean;
};

/** Adds a message, or raises its revision; the same view again changes nothing. */
export const post = async (trx: Trx, { key, chatId, view, replyTo, bump = false }: Post): Promise<void> => {
  const now = new Date().toISOString();
  const text = JSON.stringify(view);
  const known = await trx.selectFrom('messages').select('view').where('key', '=', key).executeTakeFirst();
  if (known === undefined) {
    await trx
      .insertInto('messages')
      .values({
        key,
        chat_id: chatId,
        view: text,
        revision: 1,
        delivered_revision: 0,
        message_id: null,
        reply_to: replyTo ?? null,
        state: 'open',
        attempts: 0,
        created_at: now,
        updated_at: now,
      })
      .execute();
    return;
  }
  if (known.view === text && !bump) return;
  await trx
    .updateTable('messages')
    // Whatever kept an earlier revision from being delivered, this one has its own chance.
    .set(({ eb }) => ({
      view: text,
      revision: eb('revision', '+', 1),
      state: 'open',
      updated_at: now,
      attempts: 0,
    }))
    .where('key', '=', key)
    .execute();
};

/** What the message shows has changed; nothing where there is none. */
export const showAgain = async (trx: Trx, key: string): Promise<void> => {
  const row = await trx
    .selectFrom('messages')
    .select(['chat_id', 'view'])
    .where('key', '=', key)
    .executeTakeFirst();
  if (row !== undefined)
    await post(trx, { key, chatId: row.chat_id, view: JSON.parse(row.view), bump: true });
};

/**
 * Messages that nothing has changed since `olderThan`, an ISO time. Those that wait for somebody who has blocked the
 * bot are among them: after so long they would only confuse.
 */
export const forgetOldMessages = async (trx: Trx, olderThan: string): Promise<void> => {
  await trx.deleteFrom('messages').where('updated_at', '<', olderThan).execute();
};
