import { createHash } from 'node:crypto';
import { type Kysely, sql } from 'kysely';
import { withDeadline } from '../../../shared/lifecycle.ts';
import type { Log } from '../../../shared/log.ts';
import type { Content } from '../format/rich-text.ts';
import type { Database, MessageRow } from '../store/schema.ts';
import type { View } from '../view.ts';
import type { Api } from './client.ts';
import { deliverDocument, deliverText } from './delivery.ts';
import { createPacing, type Pacing } from './pacing.ts';
import { type Refusal, readRefusal } from './refusals.ts';

/**
 * Brings the chats in line with the table of messages. New messages of a chat go out in their order, one at a time;
 * edits carry only the newest state. What cannot be delivered now is tried again, what never can be is put aside.
 * A kill at any moment loses nothing and repeats at most the one message that was on its way.
 *
 * refresh — an edit of a delivered message because of something that is not stored, such as progress. It waits for
 *   everything else, and nobody misses it when it is dropped.
 */

export type Sender = {
  /** Something was stored: look now. */
  wake(): void;
  refresh(key: string): void;
  /** The person cannot be reached; what is for them waits for `unmute`. */
  mute(chatId: number): void;
  unmute(chatId: number): void;
  close(): Promise<void>;
};

type Options = {
  db: Kysely<Database>;
  api: Api;
  render: (view: View) => Promise<Content | null>;
  log: Log;
  pacing?: Pacing;
};

/** Milliseconds. A message is edited by refreshes at most this often. */
const refreshInterval = 1_000;
/** Looks without being woken, in case a wake was lost. */
const safetyInterval = 10_000;
const longestRetry = 30_000;
const batch = 300;

const fingerprint = ({ text, entities, buttons }: Content): string =>
  createHash('sha1')
    .update(JSON.stringify([text, entities, buttons]))
    .digest('base64');

const retryDelay = (attempts: number): number => Math.min(500 * 2 ** attempts, longestRetry);

export const createSender = ({ db, api, render, log, pacing = createPacing() }: Options): Sender => {
  const busy = new Map<number, Promise<void>>();
  const shown = new Map<string, string>();
  const refreshed = new Map<string, number>();
  const toRefresh = new Set<string>();
  const retryAt = new Map<string, number>();
  const muted = new Set<number>();
  let timer: NodeJS.Timeout | undefined;
  let looking: Promise<void> | null = null;
  let again = false;
  let closed = false;

  const remember = (key: string, content: Content): void => {
    shown.delete(key);
    shown.set(key, fingerprint(content));
    // The oldest go first; without its print a message is merely edited once for nothing.
    if (shown.size > 5_000) shown.delete(shown.keys().next().value!);
  };

  const store = async (key: string, changes: Partial<MessageRow>): Promise<void> => {
    await db.updateTable('messages').set(changes).where('key', '=', key).execute();
  };

  const setAside = async (row: MessageRow, reason: string): Promise<void> => {
    log.warn({ message: row.key, reason }, 'a message cannot be delivered');
    await store(row.key, { state: 'undeliverable' });
  };

  const retry = async (row: MessageRow, delay: number): Promise<void> => {
    // Noted first: should the storage be out as well, the next look waits all the same.
    retryAt.set(row.key, performance.now() + delay);
    await store(row.key, { attempts: row.attempts + 1 });
  };

  const react = async (row: MessageRow, content: Content, refusal: Refusal): Promise<void> => {
    switch (refusal.kind) {
      case 'not-modified':
        return finish(row, content, row.message_id!);
      case 'too-many':
        pacing.pause(row.chat_id, refusal.retryAfter);
        return;
      case 'blocked':
        muted.add(row.chat_id);
        log.info({ message: row.key }, 'the person cannot be reached; their messages wait');
        return;
      case 'message-gone':
        // Somebody deleted it: what it has to say is said anew.
        return store(row.key, { message_id: null });
      case 'bad-formatting':
        if (content.entities.length === 0) return setAside(row, refusal.kind);
        log.error({ message: row.key }, 'formatting was refused; the plain text is sent');
        return send(row, { ...content, entities: [] });
      case 'rejected':
        return setAside(row, refusal.reason);
      case 'transient':
        log.info(
          { message: row.key, reason: refusal.reason, attempt: row.attempts + 1 },
          'Telegram is out; again later',
        );
        return retry(row, retryDelay(row.attempts));
    }
  };

  const finish = async (row: MessageRow, content: Content, messageId: number): Promise<void> => {
    remember(row.key, content);
    retryAt.delete(row.key);
    if (content.document !== undefined) {
      // Should the file fail, only the file is tried again: the text is found unchanged.
      await store(row.key, { message_id: messageId });
      await deliverDocument(api, { chatId: row.chat_id, messageId }, content.document);
    }
    await store(row.key, {
      message_id: messageId,
      delivered_revision: row.revision,
      state: 'delivered',
      attempts: 0,
    });
  };

  const send = async (row: MessageRow, content: Content): Promise<void> => {
    const target = { chatId: row.chat_id, messageId: row.message_id, replyTo: row.reply_to };
    try {
      pacing.take(row.chat_id);
      const same = row.message_id !== null && shown.get(row.key) === fingerprint(content);
      const messageId = same ? row.message_id! : await deliverText(api, target, content);
      await finish(row, content, messageId);
    } catch (error) {
      await react(row, content, readRefusal(error));
    }
  };

  const deliver = async (row: MessageRow): Promise<void> => {
    try {
      const content = await render(JSON.parse(row.view) as View);
      if (content === null) await store(row.key, { delivered_revision: row.revision, state: 'delivered' });
      else await send(row, content);
    } catch (err) {
      log.error(
        { err, message: row.key, attempt: row.attempts + 1 },
        'a message could not be made; again later',
      );
      await retry(row, retryDelay(row.attempts));
    }
  };

  const deliverRefresh = async (row: MessageRow): Promise<void> => {
    refreshed.set(row.key, performance.now());
    const content = await render(JSON.parse(row.view) as View);
    if (content === null || content.document !== undefined || shown.get(row.key) === fingerprint(content))
      return;
    pacing.take(row.chat_id);
    try {
      await deliverText(api, { chatId: row.chat_id, messageId: row.message_id, replyTo: null }, content);
      remember(row.key, content);
    } catch (error) {
      const refusal = readRefusal(error);
      if (refusal.kind === 'too-many') pacing.pause(row.chat_id, refusal.retryAfter);
      if (refusal.kind === 'not-modified') remember(row.key, content);
    }
  };

  /** One call to a chat at a time; the next look follows its end. */
  const begin = (chatId: number, work: Promise<void>): void => {
    const done = work
      .catch((err) => log.error({ err }, 'a message could not be worked on'))
      .then(() => {
        busy.delete(chatId);
        wake();
      });
    busy.set(chatId, done);
  };

  /** The next row of each chat: new messages in their order, then edits. However much waits in one, none starves. */
  const findNextOfEachChat = (): Promise<MessageRow[]> =>
    db
      .with('undelivered', (cte) =>
        cte
          .selectFrom('messages')
          .selectAll()
          .select(
            sql<number>`row_number() over (partition by chat_id order by message_id is not null, created_at, key)`.as(
              'place',
            ),
          )
          .whereRef('delivered_revision', '<', 'revision')
          .where('state', '!=', 'undeliverable')
          .where('chat_id', 'not in', muted.size === 0 ? [0] : [...muted]),
      )
      .selectFrom('undelivered')
      .selectAll()
      .where('place', '=', 1)
      .orderBy('created_at')
      .execute();

  const findToRefresh = (): Promise<MessageRow[]> =>
    db
      .selectFrom('messages')
      .selectAll()
      .where('key', 'in', [...toRefresh].slice(0, batch))
      .execute();

  const look = async (): Promise<void> => {
    const now = performance.now();
    let earliest = safetyInterval;
    const waiting = new Set<number>();
    for (const row of await findNextOfEachChat()) {
      const { chat_id: chatId } = row;
      waiting.add(chatId);
      if (closed || busy.has(chatId) || muted.has(chatId)) continue;
      const delay = Math.max(pacing.delay(chatId), (retryAt.get(row.key) ?? 0) - now);
      if (delay <= 0) begin(chatId, deliver(row));
      else earliest = Math.min(earliest, delay);
    }
    if (toRefresh.size > 0) {
      for (const row of await findToRefresh()) {
        const { chat_id: chatId, key } = row;
        if (row.message_id === null || muted.has(chatId)) toRefresh.delete(key);
        if (closed || waiting.has(chatId) || busy.has(chatId) || !toRefresh.has(key)) continue;
        const sinceLast = (refreshed.get(key) ?? Number.NEGATIVE_INFINITY) + refreshInterval - now;
        const delay = Math.max(pacing.delay(chatId), sinceLast);
        if (delay <= 0) {
          toRefresh.delete(key);
          begin(chatId, deliverRefresh(row));
        } else earliest = Math.min(earliest, delay);
      }
    }
    clearTimeout(timer);
    if (!closed) timer = setTimeout(wake, Math.max(1, earliest));
  };

  const lookUntilQuiet = async (): Promise<void> => {
    do {
      again = false;
      await look().catch((err) => {
        log.error({ err }, 'messages could not be looked at');
        timer = setTimeout(wake, safetyInterval);
      });
    } while (again && !closed);
    looking = null;
  };

  const wake = (): void => {
    if (looking === null && !closed) looking = lookUntilQuiet();
    else again = true;
  };

  timer = setTimeout(wake, 0);
  return {
    wake,
    refresh(key) {
      toRefresh.add(key);
      wake();
    },
    mute: (chatId) => {
      muted.add(chatId);
    },
    unmute(chatId) {
      if (muted.delete(chatId)) wake();
    },
    async close() {
      closed = true;
      clearTimeout(timer);
      const onTheirWay = Promise.all([looking, ...busy.values()]);
      await withDeadline(onTheirWay, 4_000, 'sending what is on its way').catch((err) =>
        log.warn({ err }, 'left'),
      );
    },
  };
};
