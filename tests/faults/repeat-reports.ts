import { Queue } from 'bullmq';
import { reportsQueue } from '../../queues/connection.ts';
import type { Berth } from '../support/berth.ts';

/** Reports are delivered at least once: all that were, and are still kept, come a second time, late as that is. */
export const repeatReports = async ({ redis, instance }: Berth): Promise<void> => {
  const queue = new Queue(reportsQueue, { connection: { url: redis.url }, prefix: instance });
  try {
    const taken = await queue.getCompleted();
    const options = { removeOnComplete: true, attempts: 1_000_000, backoff: { type: 'report' } };
    await queue.addBulk(taken.map(({ name, data }) => ({ name, data, opts: options })));
  } finally {
    await queue.close();
  }
};
