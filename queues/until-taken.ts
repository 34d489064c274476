import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../shared/log.ts';
import { refusalOf } from './redis-state.ts';

/** Milliseconds between two tries. */
const pause = 500;

/**
 * Repeats a write until Redis takes it: one that is full or read-only refuses, and what a job has found out must not be
 * lost by that, as nobody can find it out a second time. Throws whatever is no refusal, and the refusal itself once
 * `ending` says that this process must let go.
 */
export const untilTaken = async <T>(write: () => Promise<T>, log: Log, ending: () => boolean): Promise<T> => {
  for (let tries = 0; ; tries += 1) {
    try {
      return await write();
    } catch (err) {
      if (refusalOf(err) === null || ending()) throw err;
      if (tries === 0) log.warn({ err }, 'Redis takes no writes; trying on');
      await sleep(pause);
    }
  }
};
