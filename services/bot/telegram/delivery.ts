import type { Kysely } from 'kysely';
import type { Log } from '../../../shared/log.ts';
import type { Content } from '../format/rich-text.ts';
import type { Database, MessageRow } from '../store/schema.ts';
import type { View } from '../view.ts';
import { type Calls, deliverDocument, deliverText } from './calls.ts';
import type { Api, CallOptions } from './client.ts';
import type { Pacing } from './pacing.ts';
import { type Postponed, retryDelay } from './postponed.ts';
import { type Refusal, readRefusal } from './refusals.ts';
import { changeRow, refuseRevision } from './rows.ts';
import { createShown } from './shown.ts';

/** One row of the table becomes calls to Telegram, and their outcome is noted in the row. */

export type Delivery = {
  /** Brings the chat up to the row's revision. Rejects only where the storage is out. */
  deliver(row: MessageRow): Promise<void>;
  /** Edits a delivered message if it would read differently now; nobody misses it when that fails. */
  refresh(row: MessageRow): Promise<void>;
};

type Dependencies = {
  db: Kysely<Database>;
  api: Api;
  render: (view: View) => Promise<Content | null>;
  log: Log;
  pacing: Pacing;
  postponed: Postponed;
  /** Chats that cannot be reached. */
  muted: Set<number>;
};

/** A refresh that hangs must not hold up the end of what it tells of. Milliseconds. */
const refreshDeadline = 5_000;

export const createDelivery = (dependencies: Dependencies): Delivery => {
  const { db, api, render, log, pacing, postponed, muted } = dependencies;
  const shown = createShown();
  /** Delivered, but the storage could not take note: without this every further try would be one more message. */
  const unsaved = new Map<string, { messageId: number; fileOf: number | null }>();

  /**
   * Takes the first call's token at once, before anything is awaited: whoever looks next has to see that it is taken.
   * What turns out to need no call gives it back.
   */
  const withTurn = async (chatId: number, usual: CallOptions, work: (calls: Calls) => Promise<void>) => {
    let made = 0;
    pacing.take(chatId);
    try {
      await work({
        call(method, payload, options) {
          if (made > 0) pacing.take(chatId);
          made += 1;
          return api.call(method, payload, { ...usual, ...options });
        },
      });
    } finally {
      if (made === 0) pacing.giveBack(chatId);
    }
  };

  const noteSimplified =
    ({ key }: MessageRow) =>
    (error: unknown) =>
      log.error(
        { message: key, refusal: readRefusal(error) },
        'refused; sent without what Telegram dislikes',
      );

  /** Resolves with the message's id once it shows the content. */
  const show = async (row: MessageRow, content: Content, calls: Calls): Promise<number> => {
    const messageId = row.message_id ?? unsaved.get(row.key)?.messageId ?? null;
    if (messageId !== null && shown.matches(row.key, content)) return messageId;
    shown.forget(row.key);
    const target = { chatId: row.chat_id, messageId, replyTo: row.reply_to };
    const id = await deliverText(calls, target, content, noteSimplified(row)).catch((error) => {
      if (messageId !== null && readRefusal(error).kind === 'not-modified') return messageId;
      throw error;
    });
    shown.remember(row.key, content);
    return id;
  };

  const finish = async (row: MessageRow, messageId: number | null): Promise<void> => {
    await changeRow(db, row.key, {
      message_id: messageId,
      delivered_revision: row.revision,
      state: 'delivered',
      attempts: 0,
    });
    unsaved.delete(row.key);
    postponed.forget(row.key);
  };

  const setAside = async (row: MessageRow, reason: string): Promise<void> => {
    log.warn({ message: row.key, reason }, 'a message cannot be delivered');
    await refuseRevision(db, row);
    unsaved.delete(row.key);
  };

  const tryAgain = async (row: MessageRow, options?: { aside: boolean }): Promise<void> => {
    // Noted first: should the storage be out as well, it waits all the same.
    postponed.postpone(row.key, retryDelay(row.attempts), options);
    await changeRow(db, row.key, { attempts: row.attempts + 1 });
  };

  const mute = ({ chat_id: chatId, key }: MessageRow): void => {
    muted.add(chatId);
    log.info({ message: key }, 'the person cannot be reached; their messages wait');
  };

  const isPlaced = (row: MessageRow): boolean => row.message_id !== null || unsaved.has(row.key);

  const forgetPlace = async (row: MessageRow): Promise<void> => {
    await changeRow(db, row.key, { message_id: null });
    unsaved.delete(row.key);
  };

  const react = async (row: MessageRow, refusal: Refusal): Promise<void> => {
    switch (refusal.kind) {
      case 'too-many':
        return pacing.pause(row.chat_id, refusal.retryAfter);
      case 'blocked':
        return mute(row);
      case 'message-gone':
        // Somebody deleted it: what it has to say is said anew.
        return isPlaced(row) ? forgetPlace(row) : setAside(row, refusal.kind);
      case 'transient':
        log.info({ message: row.key, reason: refusal.reason, attempt: row.attempts + 1 }, 'Telegram is out');
        return tryAgain(row);
      case 'rejected':
        return setAside(row, refusal.reason);
      case 'not-modified':
      case 'bad-formatting':
      case 'bad-buttons':
        return setAside(row, refusal.kind);
    }
  };

  /** Text, then the file that belongs to it. Gives the message's id, or why Telegram did not take one of them. */
  const carryOut = async (row: MessageRow, content: Content, calls: Calls): Promise<number | Refusal> => {
    try {
      const messageId = await show(row, content, calls);
      const fileOf = unsaved.get(row.key)?.fileOf ?? null;
      unsaved.set(row.key, { messageId, fileOf });
      if (content.document !== undefined && fileOf !== row.revision) {
        await deliverDocument(
          calls,
          { chatId: row.chat_id, messageId },
          content.document,
          noteSimplified(row),
        );
        unsaved.set(row.key, { messageId, fileOf: row.revision });
      }
      return messageId;
    } catch (error) {
      return readRefusal(error);
    }
  };

  const makeContent = async ({ key, view, attempts }: MessageRow): Promise<Content | null | undefined> => {
    try {
      return await render(JSON.parse(view) as View);
    } catch (err) {
      log.error({ err, message: key, attempt: attempts + 1 }, 'a message could not be made');
      return undefined;
    }
  };

  const deliver = async (row: MessageRow, calls: Calls): Promise<void> => {
    const content = await makeContent(row);
    if (content === undefined) return tryAgain(row, { aside: true });
    if (content === null) return finish(row, row.message_id);
    const outcome = await carryOut(row, content, calls);
    if (typeof outcome === 'number') return finish(row, outcome);
    const placed = unsaved.get(row.key);
    // The text has arrived and the file has not: only the file is tried again.
    if (placed !== undefined && row.message_id === null) {
      await changeRow(db, row.key, { message_id: placed.messageId });
    }
    await react(row, outcome);
  };

  const refresh = async (row: MessageRow, calls: Calls): Promise<void> => {
    const content = await makeContent(row);
    if (content === undefined || content === null || content.document !== undefined) return;
    try {
      await show(row, content, calls);
    } catch (error) {
      const refusal = readRefusal(error);
      if (refusal.kind === 'too-many') pacing.pause(row.chat_id, refusal.retryAfter);
      else if (refusal.kind === 'blocked') mute(row);
      else if (refusal.kind === 'message-gone') await forgetPlace(row);
      else log.debug({ message: row.key, refusal }, 'a refresh was not taken');
    }
  };

  return {
    deliver: (row) => withTurn(row.chat_id, {}, (calls) => deliver(row, calls)),
    refresh: (row) => withTurn(row.chat_id, { deadline: refreshDeadline }, (calls) => refresh(row, calls)),
  };
};
