import type { Redis } from 'ioredis';
import type { Log } from '../shared/log.ts';

/**
 * Who of several that look alike is the one. A claim names its holder, is renewed all the time, and lapses when its holder
 * is gone; it keeps two of a kind from doing harm by a mistake of set-up, and is no lock for anything finer than that.
 */

/** Takes what is free, or what one of ours has already; gives the holder. */
const script = `
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] and holder ~= ARGV[2] then return holder end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[3])
return ARGV[1]`;

const releaseScript = `if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end return 1`;

/** Milliseconds. */
const lifetime = 30_000;
const every = 5_000;

type Claim = {
  /** Fails at once while Redis is away. */
  redis: Redis;
  key: string;
  /** Who claims; null while that is not known. */
  holder: () => string | null;
  log: Log;
};

export type KeptClaim = { close(options?: { release: boolean }): Promise<void> };

/** One try. Gives another who holds the claim, or null; null as well where Redis cannot say. */
const findOther = async (
  { redis, key, log }: Claim,
  mine: string,
  before: string,
): Promise<string | null> => {
  if (redis.status !== 'ready') return null;
  try {
    const holder = await redis.eval(script, 1, key, mine, before, lifetime);
    return holder === mine ? null : String(holder);
  } catch (err) {
    log.debug({ err, key }, 'a claim could not be renewed');
    return null;
  }
};

/** Claims, and goes on renewing. `onOther` is called where somebody else has the claim, now or later. */
export const keepClaim = async (claim: Claim, onOther: (holder: string) => void): Promise<KeptClaim> => {
  const { redis, key, holder, log } = claim;
  let last = '';
  const renew = async (): Promise<void> => {
    const mine = holder();
    if (mine === null) return;
    const other = await findOther(claim, mine, last);
    if (other === null) last = mine;
    else onOther(other);
  };
  await renew();
  let renewing: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    renewing = renew();
  }, every);
  return {
    /** With `release` somebody else may claim at once. */
    async close({ release } = { release: false }) {
      clearInterval(timer);
      await renewing;
      if (!release || last === '' || redis.status !== 'ready') return;
      await redis
        .eval(releaseScript, 1, key, last)
        .catch((err) => log.debug({ err, key }, 'a claim lapses by itself'));
    },
  };
};

export const botClaim = (instance: string): string => `${instance}:claim:bot`;
export const engineClaim = (instance: string, host: string): string => `${instance}:claim:engine:${host}`;
