import type { PracticeEvent } from '../../services/practice/events.ts';
import { findChat, findPerson, writeAs } from '../../services/practice/person-actions.ts';
import type { Berth } from '../../tests/support/berth.ts';
import type { ChatMessage } from '../../tests/support/practice-client.ts';

/** The chat from inside the practice server's process: times without the detour over HTTP. */

const deadline = 120_000;

/** Writes, and gives the milliseconds until a message of the bot in that chat matches. */
export const timeUntil = (
  { practice: { practice } }: Berth,
  personId: number,
  text: string,
  ...stages: ((message: ChatMessage) => boolean)[]
): Promise<number[]> => {
  const { promise, resolve, reject } = Promise.withResolvers<number[]>();
  const times: number[] = [];
  const watch = (event: PracticeEvent): void => {
    if (event.type !== 'message' || !event.message.fromBot || event.message.chatId !== personId) return;
    if (stages[times.length]?.(event.message)) times.push(performance.now() - begun);
    if (times.length === stages.length) resolve(times);
  };
  const stop = practice.events.watch(watch);
  const timer = setTimeout(() => reject(new Error(`no answer to ${text}`)), deadline);
  const begun = performance.now();
  writeAs(practice, findChat(practice, personId), findPerson(practice, personId), {
    content: { kind: 'text' },
    text,
  });
  return promise.finally(() => {
    clearTimeout(timer);
    stop();
  });
};
