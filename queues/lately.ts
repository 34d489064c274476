import type { Redis } from 'ioredis';

/**
 * Whether somebody wrote lately, by one clock for all: that of Redis. Those of the machines may differ, and any of them may
 * jump. What is from the future was written before the clock was set back, and counts as old.
 */

/** Milliseconds since 1970, by the clock of Redis. */
export const redisNow = async (redis: Redis): Promise<number> => {
  const [seconds, microseconds] = await redis.time();
  return Number(seconds) * 1_000 + Math.floor(Number(microseconds) / 1_000);
};

/** `at` an ISO time, the others in milliseconds. */
export const isLately = (at: string, now: number, silence: number): boolean =>
  Math.abs(now - Date.parse(at)) < silence;
