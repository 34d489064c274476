import { Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { pino } from 'pino';
import { z } from 'zod';
import { createConsumer, type Processors } from '../../queues/consumer.ts';
import { parseEnv, redisUrl } from '../../shared/env.ts';
import { envOrExit, runService } from '../../shared/lifecycle.ts';
import { createLog } from '../../shared/log.ts';
import { benchSecret } from './link-secret.ts';

/** A worker process whose processors do nothing; beside it one of BullMQ alone, for the comparison. */

const env = envOrExit(() => parseEnv(z.object({ REDIS_URL: redisUrl }), process.env));

const doesNothing: Processors = {
  createVm: async () => ({ containerId: 'none', hostKeyFingerprint: 'none' }),
  startVm: async () => ({}),
  restartVm: async () => ({}),
  stopVm: async () => ({}),
  destroyVm: async () => ({}),
  exec: async () => ({ exitCode: 0, durationMs: 0, outputBytes: 0, truncated: false, timedOut: false }),
  buildImage: async () => ({ imageId: 'none', built: true }),
  setAccess: async () => ({}),
  measureVms: async () => ({ vms: [] }),
  lookAtVms: async () => ({ vms: [] }),
  measureDisks: async () => ({ vms: [] }),
  takeStock: async () => ({ things: [], complete: true }),
  removeLeftovers: async () => ({}),
  removeStrays: async () => ({}),
  probeGpu: async () => ({ way: null, devices: [], problem: 'none' }),
};

await runService(createLog('idle-worker', 'info'), async (lifecycle) => {
  const consumer = createConsumer({
    redisUrl: env.REDIS_URL,
    instance: 'bench',
    host: 'bench',
    linkSecret: benchSecret,
    // As a worker of production has it.
    concurrency: { lifecycle: 8, exec: 32, image: 1, query: 8 },
    processors: doesNothing,
    // Its lines are made as in production, so that their cost counts, but do not go to whoever measures.
    log: createLog('idle-worker', 'info', pino.destination('/dev/null')),
  });
  lifecycle.onShutdown('jobs', () => consumer.close(1_000));
  const connection = new Redis(env.REDIS_URL, { maxRetriesPerRequest: null });
  lifecycle.onShutdown('Redis', () => connection.disconnect());
  const alone = new Worker('alone', async () => ({}), { connection, concurrency: 32 });
  lifecycle.onShutdown('BullMQ alone', () => alone.close());
  await Promise.all([consumer.ready, alone.waitUntilReady()]);
});
