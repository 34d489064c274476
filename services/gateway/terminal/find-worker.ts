import type { Redis } from 'ioredis';
import { redisNow } from '../../../queues/lately.ts';
import { readRollCall } from '../../../queues/roll-call.ts';
import type { Log } from '../../../shared/log.ts';
import { type Opened, openLink, type Wish } from './link.ts';

/** Any worker of the VM's host will do: they are tried in random order. */

export type WorkersDeps = { redis: Redis; instance: string; secret: string; log: Log };

const shuffled = <T>(all: T[]): T[] =>
  all
    .map((item) => ({ item, place: Math.random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ item }) => item);

/** The terminal, or null where no worker has it just now. Rejects while Redis is away. */
export const openAtSomeWorker = async (
  { redis, instance, secret, log }: WorkersDeps,
  host: string,
  wish: Wish,
  signal: AbortSignal,
): Promise<Opened | null> => {
  const present = await readRollCall(redis, instance, await redisNow(redis));
  const addresses = present.flatMap((worker) => (worker.host === host && worker.terminals) || []);
  for (const address of shuffled(addresses)) {
    try {
      return await openLink(address, secret, wish, signal);
    } catch (err) {
      if (signal.aborted) return null;
      log.debug({ err, address }, 'a worker was passed over');
    }
  }
  return null;
};
