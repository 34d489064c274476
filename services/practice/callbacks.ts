import { randomInt } from 'node:crypto';
import type { CallbackAnswer, EventStream } from './events.ts';
import { badRequest } from './refusal.ts';

/** Pressed buttons that wait for the bot's answer. Each takes one answer, for a while; a restart forgets them. */
export type CallbackQueries = {
  open(query: { chatId: number; messageId: number; personId: number }): string;
  /** Throws Telegram's refusal for an unknown, answered or old query. */
  answer(queryId: string, answer: { text: string; showAlert: boolean; url?: string | undefined }): void;
  /** The last answers, oldest first. */
  answers(): CallbackAnswer[];
};

const lifetimeMs = 5 * 60_000;
const kept = 500;

export const createCallbackQueries = (events: EventStream): CallbackQueries => {
  const open = new Map<string, { chatId: number; messageId: number; personId: number; at: number }>();
  const answers: CallbackAnswer[] = [];

  const forgetOld = () => {
    for (const [id, { at }] of open) if (at < Date.now() - lifetimeMs) open.delete(id);
  };

  return {
    open: (query) => {
      forgetOld();
      const queryId = `${randomInt(1e9, 1e10)}${randomInt(1e9, 1e10)}`;
      open.set(queryId, { ...query, at: Date.now() });
      return queryId;
    },
    answer: (queryId, { text, showAlert, url }) => {
      forgetOld();
      const query = open.get(queryId);
      if (!query) {
        throw badRequest('query is too old and response timeout expired or query ID is invalid');
      }
      if (text.length > 200) throw badRequest('MESSAGE_TOO_LONG');
      open.delete(queryId);
      const { chatId, messageId, personId } = query;
      const answer = { queryId, chatId, messageId, personId, text, showAlert, url };
      answers.push(answer);
      if (answers.length > kept) answers.shift();
      events.emit({ type: 'callback-answer', answer });
    },
    answers: () => [...answers],
  };
};
