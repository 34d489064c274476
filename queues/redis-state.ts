import type { Redis } from 'ioredis';
import { withDeadline } from '../shared/lifecycle.ts';

/**
 * What Redis is good for at the moment. Being connected says little: one that is full, is a replica, or cannot save
 * answers every question and takes no job.
 */

export type RedisState = 'answers' | 'away' | 'full' | 'read-only' | 'cannot-save';

/** Redis' own words for a write that it does not take now; BullMQ's scripts pass them on. */
const refusals: [RegExp, RedisState][] = [
  [/\bOOM\b/, 'full'],
  [/\bMISCONF\b/, 'cannot-save'],
  [/\b(READONLY|NOREPLICAS)\b/, 'read-only'],
  [/\b(LOADING|MASTERDOWN|CLUSTERDOWN|TRYAGAIN)\b/, 'away'],
];

/** Why Redis did not take a write, where it answered and the same may go through later; null for everything else. */
export const refusalOf = (error: unknown): RedisState | null => {
  const message = error instanceof Error ? error.message : '';
  return refusals.find(([words]) => words.test(message))?.[1] ?? null;
};

/** Milliseconds; seconds for the value that is written. */
const probeDeadline = 3_000;
const probeLifetime = 60;

/** Writes something small. Never throws. */
export const probeRedis = async (redis: Redis, instance: string): Promise<RedisState> => {
  if (redis.status !== 'ready') return 'away';
  try {
    const write = redis.set(`${instance}:write-probe`, '1', 'EX', probeLifetime);
    await withDeadline(write, probeDeadline, 'a write to Redis');
    return 'answers';
  } catch (error) {
    return refusalOf(error) ?? 'away';
  }
};

export type RedisWatch = { state(): RedisState; close(): Promise<void> };

/** Milliseconds. */
const every = 1_000;

/** Probes all the time. `state` says `away` at once when the connection is lost. */
export const watchRedis = (redis: Redis, instance: string): RedisWatch => {
  let state: RedisState = 'answers';
  let running = Promise.resolve();
  let busy = false;
  const probe = async (): Promise<void> => {
    busy = true;
    state = await probeRedis(redis, instance);
    busy = false;
  };
  const timer = setInterval(() => {
    if (!busy) running = probe();
  }, every);
  return {
    state: () => (redis.status === 'ready' ? state : 'away'),
    close() {
      clearInterval(timer);
      return running;
    },
  };
};
