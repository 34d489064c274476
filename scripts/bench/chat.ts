import type { PracticeEvent } from '../../services/practice/events.ts';
import { findChat, findPerson, writeAs } from '../../services/practice/person-actions.ts';
import type { MessageView } from '../../services/practice/view.ts';
import type { Berth } from '../../tests/support/berth.ts';

/** The chat from inside the practice server's process: times without the detour over HTTP. */

export type Bench = {
  berth: Berth;
  /** Aborts when the run is broken off. */
  signal: AbortSignal;
};
export type Matches = (message: MessageView) => boolean;

export const anyMessage: Matches = () => true;

/** Longer than anything here takes, the building of the image included. Milliseconds. */
const deadline = 20 * 60_000;

export const write = ({ berth: { practice } }: Bench, personId: number, text: string): void => {
  const [chat, person] = [findChat(practice.practice, personId), findPerson(practice.practice, personId)];
  writeAs(practice.practice, chat, person, { content: { kind: 'text' }, text });
};

/** Hands every new state of the bot's messages to `take`, until that says that it has seen enough. */
const watch = async (
  { berth: { practice }, signal }: Bench,
  take: (message: MessageView) => boolean,
): Promise<void> => {
  const ended = AbortSignal.any([signal, AbortSignal.timeout(deadline)]);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const stop = practice.practice.events.watch((event: PracticeEvent) => {
    if (event.type === 'message' && event.message.fromBot && take(event.message)) resolve();
  });
  const giveUp = () => reject(ended.reason);
  ended.addEventListener('abort', giveUp);
  if (ended.aborted) giveUp();
  await promise.finally(() => {
    stop();
    ended.removeEventListener('abort', giveUp);
  });
};

/** Writes, and gives the milliseconds until the bot's messages in that chat have matched, one stage after another. */
export const timeUntil = async (
  bench: Bench,
  personId: number,
  text: string,
  ...stages: Matches[]
): Promise<number[]> => {
  const times: number[] = [];
  const seen = watch(bench, (message) => {
    if (message.chatId === personId && stages[times.length]?.(message)) times.push(performance.now() - begun);
    return times.length === stages.length;
  });
  const begun = performance.now();
  write(bench, personId, text);
  await seen;
  return times;
};

/** Waits until the bot has said something that matches to each of them. */
export const untilEach = (bench: Bench, people: readonly number[], matches: Matches): Promise<void> => {
  const waiting = new Set(people);
  return watch(bench, (message) => {
    if (matches(message)) waiting.delete(message.chatId);
    return waiting.size === 0;
  });
};
