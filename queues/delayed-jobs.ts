import { Job, type Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Log } from '../shared/log.ts';

/**
 * A job that failed waits until a time of the wall's clock for its next try. When the clock is set back, that time is as
 * far away as the clock was set: so what waits for longer than any pause of ours is let go at once.
 */

/** Milliseconds; longer than any pause between two tries. */
const longestDelay = 20_000;
const every = 5_000;
/** Delayed jobs lie in a sorted set by their time, times this. */
const scoreFactor = 0x1000;

/** Lets go what waits for a time too far away. `now` in milliseconds since 1970. Gives how many. */
export const promoteFarAway = async (redis: Redis, queue: Queue, now: number): Promise<number> => {
  const from = (now + longestDelay) * scoreFactor;
  const ids = await redis.zrangebyscore(queue.toKey('delayed'), from, '+inf');
  for (const id of ids) await (await Job.fromId(queue, id))?.promote();
  return ids.length;
};

/** The same every few seconds, until it is closed. */
export const watchDelayed = (redis: Redis, queues: readonly Queue[], log: Log): { close(): void } => {
  const looking = new Set<Queue>();
  const look = async (queue: Queue): Promise<void> => {
    const count = await promoteFarAway(redis, queue, Date.now());
    if (count > 0)
      log.warn({ queue: queue.name, jobs: count }, 'the clock was set back; jobs need not wait for it');
  };
  const timer = setInterval(() => {
    for (const queue of queues) {
      // While Redis is away the look waits for it.
      if (looking.has(queue)) continue;
      looking.add(queue);
      look(queue)
        .catch((err: unknown) => log.debug({ err, queue: queue.name }, 'delayed jobs could not be looked at'))
        .finally(() => looking.delete(queue));
    }
  }, every);
  return { close: () => clearInterval(timer) };
};
