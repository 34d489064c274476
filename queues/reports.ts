import { Queue, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { sideEffect } from '../shared/failpoint.ts';
import { withDeadline } from '../shared/lifecycle.ts';
import type { Log } from '../shared/log.ts';
import { type Report, report } from './catalog.ts';
import { connectRedis, keptJobs, reportsQueue, runRetryDelay } from './connection.ts';
import { watchDelayed } from './delayed-jobs.ts';
import { redacted } from './errors.ts';
import { type Hint, hint, hintName } from './hints.ts';

/** Outcomes on their way back to the bot: delivered at least once, in about the order in which they happened. */

type Options = { redisUrl: string; instance: string; log: Log };

export const createReporter = (redis: Redis, instance: string, log: Log) => {
  const queue = new Queue<Report>(reportsQueue, { connection: redis, prefix: instance });
  queue.on('error', (err) => log.debug({ err }, 'reports'));
  return async (outcome: Report): Promise<void> => {
    const options = {
      // A job that runs twice may end in two ways: each of them is a report, and the decider takes the first.
      jobId: `${outcome.jobId}.${outcome.outcome.kind}`,
      attempts: 1_000_000,
      backoff: { type: 'report' },
      removeOnComplete: { age: 3_600, count: 1_000 },
      removeOnFail: keptJobs,
    };
    await sideEffect('redis: report an outcome', () =>
      queue.add(outcome.jobName, report.parse(outcome), options),
    );
  };
};

/** Tells the bot of something that nobody asked for. `id` is the same for all workers of a host that noticed it. */
export const createHinter = (redis: Redis, instance: string, log: Log) => {
  const queue = new Queue<Hint>(reportsQueue, { connection: redis, prefix: instance });
  queue.on('error', (err) => log.debug({ err }, 'hints'));
  return async (id: string, noticed: Hint): Promise<void> => {
    const options = {
      jobId: `${hintName}-${id}`,
      attempts: 1_000_000,
      backoff: { type: 'report' },
      removeOnComplete: { age: 3_600, count: 1_000 },
      removeOnFail: keptJobs,
    };
    await sideEffect('redis: hint', () => queue.add(hintName, hint.parse(noticed), options));
  };
};

const longestPause = 10_000;

/** Calls `onReport` or `onHint` for each; while it rejects (the database is out), the same one comes again. */
export const consumeReports = ({
  redisUrl,
  instance,
  log,
  onReport,
  onHint = async () => undefined,
}: Options & { onReport: (report: Report) => Promise<void>; onHint?: (hint: Hint) => Promise<void> }) => {
  const redis = connectRedis(redisUrl, 'consumer', log);
  const take = async (name: string, data: unknown): Promise<void> => {
    const read = name === hintName ? hint.safeParse(data) : report.safeParse(data);
    if (!read.success) log.error({ problem: read.error.issues[0]?.message }, 'a report was not understood');
    else if ('outcome' in read.data) await onReport(read.data);
    else await onHint(read.data);
  };
  const worker = new Worker<Report | Hint>(
    reportsQueue,
    async ({ name, data, id }) => {
      await sideEffect('bot: take a report', () => take(name, data)).catch((err) => {
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
      runRetryDelay,
      maxStalledCount: 100,
      settings: { backoffStrategy: (attempts) => Math.min(200 * 2 ** Math.min(attempts, 10), longestPause) },
    },
  );
  worker.on('error', (err) => log.debug({ err }, 'reports'));
  const queue = new Queue(reportsQueue, { connection: redis, prefix: instance });
  queue.on('error', (err) => log.debug({ err }, 'reports'));
  const delayed = watchDelayed(redis, [queue], log);
  return {
    ready: worker.waitUntilReady(),
    async close(): Promise<void> {
      delayed.close();
      // Without Redis a worker's close waits for ever.
      await withDeadline(worker.close(), 3_000, 'closing the reports consumer').catch((err) =>
        log.debug({ err }, 'left'),
      );
      redis.disconnect();
    },
  };
};
