import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { type KnownQueue, queuesOf, readKnownHosts } from '../../queues/known-hosts.ts';
import { redisNow } from '../../queues/lately.ts';
import { withDeadline } from '../../shared/lifecycle.ts';
import type { Log } from '../../shared/log.ts';

/** The queues of all hosts, for looking at: nothing is added here, and nothing written by opening one. */

export type OpenQueue = KnownQueue & { queue: Queue };
export type QueueSet = {
  /** All queues there are now. Throws within seconds while Redis is away. */
  current(): Promise<OpenQueue[]>;
  /** Makes all queues anew at the next use: one whose first contact with Redis failed never recovers. */
  forget(): void;
};

const deadline = 3_000;

type Options = { redis: Redis; instance: string; log: Log };

export const createQueueSet = ({ redis, instance, log }: Options): QueueSet => {
  const open = new Map<string, OpenQueue>();
  const openQueue = (known: KnownQueue): OpenQueue => {
    const queue = new Queue(known.name, { connection: redis, prefix: instance, skipMetasUpdate: true });
    queue.on('error', (err) => log.debug({ err, queue: known.name }, 'queue'));
    return { ...known, queue };
  };
  return {
    async current() {
      if (redis.status !== 'ready') throw new Error(`Redis is ${redis.status}`);
      const reading = redisNow(redis).then((now) => readKnownHosts(redis, instance, now));
      const hosts = await withDeadline(reading, deadline, 'the hosts');
      const known = queuesOf(hosts);
      const names = new Set(known.map(({ name }) => name));
      for (const name of open.keys()) if (!names.has(name)) open.delete(name);
      return known.map((one) => {
        const opened = open.get(one.name) ?? openQueue(one);
        open.set(one.name, opened);
        return opened;
      });
    },
    forget: () => open.clear(),
  };
};
