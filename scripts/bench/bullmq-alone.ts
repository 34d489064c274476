import { Queue, QueueEvents } from 'bullmq';
import { Redis } from 'ioredis';
import { aborted } from './waiting.ts';

/** Jobs per second of BullMQ alone: added one by one as they come, until whoever added them has heard of every end. */
export const openBullmqAlone = async (redisUrl: string) => {
  const connect = () => new Redis(redisUrl, { maxRetriesPerRequest: null });
  const [forQueue, forEvents] = [connect(), connect()];
  const queue = new Queue('alone', { connection: forQueue });
  const events = new QueueEvents('alone', { connection: forEvents });
  await events.waitUntilReady();
  return {
    async measure(count: number, signal: AbortSignal): Promise<number> {
      const done = Promise.withResolvers<void>();
      let ended = 0;
      const onCompleted = () => {
        ended += 1;
        if (ended === count) done.resolve();
      };
      events.on('completed', onCompleted);
      const begun = performance.now();
      for (let index = 0; index < count; index += 1) await queue.add('nothing', { index });
      await Promise.race([done.promise, aborted(signal)]).finally(() => events.off('completed', onCompleted));
      return count / ((performance.now() - begun) / 1_000);
    },
    async close(): Promise<void> {
      await Promise.all([events.close(), queue.close()]);
      forQueue.disconnect();
      forEvents.disconnect();
    },
  };
};
