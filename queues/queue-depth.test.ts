import { Queue } from 'bullmq';
import { expect, it, onTestFinished, vi } from 'vitest';
import { createLog } from '../shared/log.ts';
import { startRedis } from '../tests/support/redis.ts';
import { connectRedis } from './connection.ts';
import { readQueueDepth } from './queue-depth.ts';

it('a queue’s depth is its jobs by state, and how long the one that is next has been waiting', async () => {
  const server = await startRedis();
  const redis = connectRedis(server.url, 'producer', createLog('test', 'silent'));
  onTestFinished(async () => {
    redis.disconnect();
    await server.stop();
  });
  await vi.waitFor(() => expect(redis.status).toBe('ready'));
  const queue = new Queue('depth', { connection: redis });
  const none = { waiting: 0, prioritized: 0, active: 0, delayed: 0, failed: 0 };
  expect(await readQueueDepth(queue)).toEqual({ jobs: none, oldestWaitMs: null });

  await queue.add('first', {}, { timestamp: Date.now() - 60_000 });
  await queue.add('second', {});
  await queue.add('later', {}, { delay: 60_000 });
  const { jobs, oldestWaitMs } = await readQueueDepth(queue);
  expect(jobs).toEqual({ ...none, waiting: 2, delayed: 1 });
  // Not the second one's.
  expect(oldestWaitMs).toBeGreaterThanOrEqual(60_000);
  expect(oldestWaitMs).toBeLessThan(90_000);
});
