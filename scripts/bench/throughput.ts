import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startRedis } from '../../tests/support/redis.ts';
import { startService } from '../../tests/support/service-process.ts';
import { openBullmqAlone } from './bullmq-alone.ts';
import { openPath } from './whole-path.ts';

/**
 * Operations per second through event store, outbox, BullMQ, a processor that does nothing, report and message,
 * against BullMQ alone with as many jobs. As in production this process is the bot; Redis, worker and chat are
 * processes of their own.
 */

const token = '7000002:a-token-that-only-the-bench-knows-00';
const people = 200;

type OnEnd = (name: string, release: () => Promise<unknown>) => void;

/** Registers the release of everything it starts at once, so that a run broken off in the middle leaves nothing. */
export const openThroughput = async (jobs: number, onEnd: OnEnd, signal: AbortSignal) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'berth-bench-'));
  onEnd('data directory', () => rm(dataDir, { recursive: true, force: true }));
  const redis = await startRedis({ appendOnly: true });
  onEnd('Redis', () => redis.stop());
  const crowd = await startService('crowd', 'scripts/bench/crowd.ts', {
    PEOPLE: `${people}`,
    PRACTICE_TOKEN: token,
  });
  onEnd('crowd', () => crowd.end());
  const worker = await startService('idle-worker', 'scripts/bench/idle-worker.ts', { REDIS_URL: redis.url });
  onEnd('idle worker', () => worker.end());
  const { url } = await crowd.waitForLine((line) => typeof line.url === 'string');

  const path = await openPath({ dataDir, redisUrl: redis.url, apiRoot: String(url), token, people });
  onEnd('whole path', path.close);
  const alone = await openBullmqAlone(redis.url);
  onEnd('BullMQ alone', alone.close);
  return {
    /** Both in operations or jobs per second. */
    measurePath: () => path.measure(jobs, signal),
    measureAlone: () => alone.measure(jobs, signal),
  };
};
