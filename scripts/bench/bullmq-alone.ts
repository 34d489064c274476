import { Queue, QueueEvents } from 'bullmq';
import { connectRedis } from '../../queues/connection.ts';
import { withDeadline } from '../../shared/lifecycle.ts';
import { createLog } from '../../shared/log.ts';
import { aborted } from './waiting.ts';

const log = createLog('bench', 'silent');

/** Jobs per second of BullMQ alone: added one by one as they come, until whoever added them has heard of every end. */
export const openBullmqAlone = async (redisUrl: string) => {
  const connect = () => connectRedis(redisUrl, 'consumer', log);
  const [forQueue, forEvents] = [connect(), connect()];
  const queue = new Queue('alone', { connection: forQueue });
  const events = new QueueEvents('alone', { connection: forEvents });
  // Ctrl-C ends Redis as well, and it may be the first to go.
  queue.on('error', (err) => log.debug({ err }, 'queue'));
  events.on('error', (err) => log.debug({ err }, 'events'));
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
      const closing = Promise.all([events.close(), queue.close()]);
      // Without Redis a queue's close waits for ever.
      await withDeadline(closing, 1_000, 'leaving BullMQ').catch((err) => log.debug({ err }, 'left'));
      forQueue.disconnect();
      forEvents.disconnect();
    },
  };
};
