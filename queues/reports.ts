import { Queue, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { withDeadline } from '../shared/lifecycle.ts';
import type { Log } from '../shared/log.ts';
import { type Report, report } from './catalog.ts';
import { connectRedis, keptJobs, reportsQueue } from './connection.ts';
import { redacted } from './errors.ts';

/** Outcomes on their way back to the bot: delivered at least once, in about the order in which they happened. */

type Options = { redisUrl: string; instance: string; log: Log };

export const createReporter = (redis: Redis, instance: string, log: Log) => {
  const queue = new Queue<Report>(reportsQueue, { connection: redis, prefix: instance });
  queue.on('error', (err) => log.debug({ err }, 'reports'));
  return async (outcome: Report): Promise<void> => {
    await queue.add(outcome.jobName, report.parse(outcome), {
      // A job that runs twice may end in two ways: each of them is a report, and the decider takes the first.
      jobId: `${outcome.jobId}.${outcome.outcome.kind}`,
      attempts: 1_000_000,
      backoff: { type: 'report' },
      removeOnComplete: { age: 3_600, count: 1_000 },
      removeOnFail: keptJobs,
    });
  };
};

const longestPause = 10_000;

/** Calls `onReport` for each; while it rejects (the database is out), the same report comes again. */
export const consumeReports = ({
  redisUrl,
  instance,
  log,
  onReport,
}: Options & { onReport: (report: Report) => Promise<void> }) => {
  const redis = connectRedis(redisUrl, 'consumer', log);
  const worker = new Worker<Report>(
    reportsQueue,
    async ({ data, id }) => {
      const read = report.safeParse(data);
      if (!read.success) {
        log.error({ problem: read.error.issues[0]?.message }, 'a report was not understood');
        return;
      }
      await onReport(read.data).catch((err) => {
        log.warn({ err, jobId: id }, 'a report could not be recorded yet');
        throw redacted(err);
      });
    },
    {
      connection: redis,
      prefix: instance,
      concurrency: 10,
      lockDuration: 15_000,
      stalledInterval: 5_000,
      maxStalledCount: 100,
      settings: { backoffStrategy: (attempts) => Math.min(200 * 2 ** Math.min(attempts, 10), longestPause) },
    },
  );
  worker.on('error', (err) => log.debug({ err }, 'reports'));
  return {
    ready: worker.waitUntilReady(),
    async close(): Promise<void> {
      // Without Redis a worker's close waits for ever.
      await withDeadline(worker.close(), 3_000, 'closing the reports consumer').catch((err) =>
        log.debug({ err }, 'left'),
      );
      redis.disconnect();
    },
  };
};
