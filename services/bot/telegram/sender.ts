import type { Kysely } from 'kysely';
import { withDeadline } from '../../../shared/lifecycle.ts';
import type { Log } from '../../../shared/log.ts';
import type { Content } from '../format/rich-text.ts';
import type { Database, MessageRow } from '../store/schema.ts';
import type { View } from '../view.ts';
import type { Api } from './client.ts';
import { createDelivery } from './delivery.ts';
import { createPacing, type Pacing } from './pacing.ts';
import { createPostponed } from './postponed.ts';
import { createRefreshes } from './refreshes.ts';
import { findNextOfEachChat, findRows } from './rows.ts';

/**
 * Brings the chats in line with the table of messages. New messages of a chat go out in their order, one at a time;
 * edits carry only the newest state. What cannot be delivered now is tried again, what never can be is put aside.
 * A kill at any moment loses nothing and repeats at most the one message that was on its way.
 *
 * refresh — an edit of a delivered message because of something that is not stored, such as progress. It waits for
 *   everything else, and nobody misses it when it is dropped. One that is awaited is part of an answer: for it the room
 *   that others leave for answers is there.
 */

export type Sender = {
  /** Something was stored: look now. */
  wake(): void;
  refresh(key: string, options?: { awaited?: boolean }): void;
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

/** Milliseconds. Looks without being woken, in case a wake was lost. */
const safetyInterval = 10_000;
/** After the storage has failed. */
const storagePause = 1_000;

/** Neither in the chat nor on its way there. */
const isNothingToEdit = ({ message_id, state, delivered_revision, revision }: MessageRow): boolean =>
  message_id === null && (state === 'undeliverable' || delivered_revision >= revision);

const chatSlot = (chatId: number): string => `chat:${chatId}`;
const refreshSlot = (key: string): string => `refresh:${key}`;

export const createSender = ({ db, api, render, log, pacing = createPacing() }: Options): Sender => {
  const muted = new Set<number>();
  const postponed = createPostponed();
  const refreshes = createRefreshes();
  const delivery = createDelivery({ db, api, render, log, pacing, postponed, muted });
  /** One delivery to a chat at a time; a refresh beside it holds up only its own message. */
  const underWay = new Map<string, Promise<void>>();
  let endings = 0;
  let timer: NodeJS.Timeout | undefined;
  let looking: Promise<void> | null = null;
  let again = false;
  let closed = false;

  const begin = (slot: string, key: string, work: Promise<void>): void => {
    const done = work
      .catch((err) => {
        log.error({ err, message: key }, 'a message could not be worked on');
        postponed.postpone(key, storagePause);
      })
      .then(() => {
        underWay.delete(slot);
        endings += 1;
        wake();
      });
    underWay.set(slot, done);
  };

  /** Begins what may go out now, and gives the milliseconds until something else may; null when what it read is old. */
  const look = async (): Promise<number | null> => {
    const seen = endings;
    const rows = await findNextOfEachChat(db, { chats: [...muted], keys: postponed.aside() });
    // A delivery that ended meanwhile has changed its row: it would go out a second time.
    if (seen !== endings) return null;
    let next = safetyInterval;
    for (const row of rows) {
      const slot = chatSlot(row.chat_id);
      if (closed || underWay.has(slot) || underWay.has(refreshSlot(row.key)) || muted.has(row.chat_id))
        continue;
      const delay = Math.max(pacing.delay(row.chat_id), postponed.remaining(row.key));
      if (delay > 0) next = Math.min(next, delay);
      else begin(slot, row.key, delivery.deliver(row));
    }
    const waiting = new Set(rows.map((row) => row.chat_id));
    return Math.min(next, await lookAtRefreshes(waiting, seen), refreshes.nextIn(), postponed.nextIn());
  };

  const lookAtRefreshes = async (waiting: Set<number>, seen: number): Promise<number> => {
    const due = refreshes.due();
    if (due.length === 0) return safetyInterval;
    const rows = new Map((await findRows(db, due)).map((row) => [row.key, row]));
    if (seen !== endings) return 0;
    let next = safetyInterval;
    for (const key of due) {
      const row = rows.get(key);
      if (row === undefined || muted.has(row.chat_id) || isNothingToEdit(row)) {
        refreshes.drop(key);
        continue;
      }
      const { chat_id: chatId } = row;
      const isBusy = waiting.has(chatId) || underWay.has(chatSlot(chatId)) || underWay.has(refreshSlot(key));
      if (closed || isBusy || row.message_id === null) continue;
      const delay = pacing.delay(chatId, { canWait: !refreshes.isAwaited(key) });
      if (delay > 0) {
        next = Math.min(next, delay);
        continue;
      }
      refreshes.begin(key);
      begin(refreshSlot(key), key, delivery.refresh(row));
    }
    return next;
  };

  const lookUntilQuiet = async (): Promise<void> => {
    let next: number | null;
    do {
      again = false;
      try {
        next = await look();
      } catch (err) {
        log.error({ err }, 'messages could not be looked at');
        next = storagePause;
      }
    } while ((again || next === null) && !closed);
    looking = null;
    clearTimeout(timer);
    if (!closed) timer = setTimeout(wake, Math.max(1, next ?? 0));
  };

  const wake = (): void => {
    if (closed) return;
    if (looking === null) looking = lookUntilQuiet();
    else again = true;
  };

  timer = setTimeout(wake, 0);
  return {
    wake,
    refresh(key, options) {
      refreshes.want(key, options);
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
      const onTheirWay = Promise.all([looking, ...underWay.values()]);
      await withDeadline(onTheirWay, 4_000, 'sending what is on its way').catch((err) =>
        log.warn({ err }, 'left'),
      );
    },
  };
};
