import { setTimeout as pause } from 'node:timers/promises';
import type { Log } from '../../../shared/log.ts';
import { FmtString, truncate } from '../format/rich-text.ts';
import type { Api } from './client.ts';
import { readRefusal } from './refusals.ts';

const longestToast = 200;

/**
 * Answers a pressed button, always: until then Telegram shows it as busy. Never throws; an answer that comes too
 * late is of no use to anybody.
 */
export const answerCallback = async (
  { api, log }: { api: Api; log: Log },
  queryId: string,
  toast: { text: string; alert: boolean } | null,
): Promise<void> => {
  const shown =
    toast === null
      ? {}
      : { text: truncate(new FmtString(toast.text), longestToast).text, show_alert: toast.alert };
  try {
    await api.call('answerCallbackQuery', { callback_query_id: queryId, ...shown });
  } catch (error) {
    log.debug({ refusal: readRefusal(error) }, 'a button press could not be answered');
  }
};

/** Shows for some seconds that the bot is busy with something short. A courtesy: it may fail. */
export const showTyping = async ({ api, log }: { api: Api; log: Log }, chatId: number): Promise<void> => {
  try {
    await api.call('sendChatAction', { chat_id: chatId, action: 'typing' });
  } catch (error) {
    log.debug({ refusal: readRefusal(error) }, 'typing could not be shown');
  }
};

/** Milliseconds before each try: whoever sent something secret wants it gone, not perhaps. */
const pauses = [0, 1_000, 5_000, 30_000, 120_000];

/** Takes a message out of the chat, with patience. Never throws: Telegram does not allow it everywhere. */
export const deleteMessage = async (
  { api, log, signal }: { api: Api; log: Log; signal: AbortSignal },
  { chatId, messageId }: { chatId: number; messageId: number },
): Promise<void> => {
  for (const wait of pauses) {
    await pause(wait, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
    try {
      await api.call('deleteMessage', { chat_id: chatId, message_id: messageId });
      return;
    } catch (error) {
      const refusal = readRefusal(error);
      log.info({ refusal: refusal.kind }, 'a message could not be deleted');
      if (refusal.kind !== 'transient' && refusal.kind !== 'too-many') return;
    }
  }
};
