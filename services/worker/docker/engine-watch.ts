import { setTimeout as sleep } from 'node:timers/promises';
import type Docker from 'dockerode';
import type { Log } from '../../../shared/log.ts';
import type { Engine } from './engine.ts';

/**
 * Whether Docker answers at all. A daemon that hangs accepts every call and answers none, so waiting for a call's own
 * deadline would leave people in the dark for half a minute: this one asks the cheapest of questions all the time.
 */

export type EngineWatch = {
  answers(): boolean;
  /** Resolves at the next answer; rejects with the signal's reason. */
  nextAnswer(signal: AbortSignal): Promise<void>;
  /** Aborts when Docker stops answering; a new one for each time it does. */
  untilAway(): AbortSignal;
  /** Called whenever it stops and whenever it begins again. */
  onChange(listener: (answers: boolean) => void): void;
  close(): Promise<void>;
};

/** Milliseconds: between two questions, for an answer, and before a question is repeated that was not answered. */
export type Rhythm = { every: number; deadline: number; again: number };
const usual: Rhythm = { every: 2_000, deadline: 2_500, again: 250 };

/** A machine that is very busy may be late with one answer. */
const missesUntilAway = 2;

/** dockerode takes the signal, only its types do not know. */
const ping = (docker: Docker, abortSignal: AbortSignal): Promise<unknown> =>
  (docker as unknown as { ping(options: { abortSignal: AbortSignal }): Promise<unknown> }).ping({
    abortSignal,
  });

export const watchEngine = (engine: Engine, log: Log, rhythm: Rhythm = usual): EngineWatch => {
  const closing = new AbortController();
  const listeners = new Set<(answers: boolean) => void>();
  const waiting = new Set<() => void>();
  let away = new AbortController();
  let misses = 0;

  const isAway = (): boolean => away.signal.aborted;

  const ask = async (): Promise<boolean> => {
    try {
      await engine.call('asking Docker whether it is there', ping, {
        deadline: rhythm.deadline,
        signal: closing.signal,
      });
      return true;
    } catch {
      return false; // whatever kept it from answering: the listeners hear of it
    }
  };
  const tell = (answers: boolean): void => {
    log.warn({ answers }, answers ? 'Docker answers again' : 'Docker does not answer');
    for (const listener of listeners) listener(answers);
  };
  const onAnswer = (): void => {
    misses = 0;
    const back = isAway();
    if (back) away = new AbortController();
    for (const resolve of [...waiting]) resolve();
    if (back) tell(true);
  };
  const onMiss = (): void => {
    misses += 1;
    if (misses < missesUntilAway || isAway()) return;
    away.abort(new Error('Docker does not answer'));
    tell(false);
  };

  const run = async (): Promise<void> => {
    while (!closing.signal.aborted) {
      const answered = await ask();
      if (closing.signal.aborted) return;
      if (answered) onAnswer();
      else onMiss();
      const pause = answered ? rhythm.every : rhythm.again;
      await sleep(pause, undefined, { signal: closing.signal }).catch(() => 'closed');
    }
  };
  const running = run();

  return {
    answers: () => !isAway(),
    untilAway: () => away.signal,
    nextAnswer(signal) {
      signal.throwIfAborted();
      return new Promise((resolve, reject) => {
        const settle = (): void => {
          waiting.delete(settle);
          signal.removeEventListener('abort', onAbort);
          resolve();
        };
        const onAbort = (): void => {
          waiting.delete(settle);
          reject(signal.reason);
        };
        waiting.add(settle);
        signal.addEventListener('abort', onAbort, { once: true });
      });
    },
    onChange: (listener) => {
      listeners.add(listener);
    },
    close() {
      closing.abort(new Error('shutting down'));
      return running;
    },
  };
};
