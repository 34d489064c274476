import { type Job as BullJob, Queue } from 'bullmq';
import { sideEffect } from '../shared/failpoint.ts';
import { withDeadline } from '../shared/lifecycle.ts';
import type { Log } from '../shared/log.ts';
import { requestCancellation } from './cancellation.ts';
import {
  findJob,
  gatewayHost,
  type JobName,
  type Outcome,
  outcome,
  type QueueKind,
  queueKinds,
} from './catalog.ts';
import { closeRedis, connectRedis, keptJobs, queueName } from './connection.ts';
import { raiseFence } from './fence.ts';
import { rewriteHistory } from './history.ts';
import { forgetPrivate, putPrivate, readPrivate } from './private-values.ts';
import { readQueueDepth } from './queue-depth.ts';
import { createSeal, sealFields } from './seal.ts';
import { type Grant, issueTicket } from './tickets.ts';

/** Adds jobs and looks after them. Every call fails within seconds while Redis is away; nothing is kept for later. */

export type JobAddress = { jobName: JobName; host: string; jobId: string };
export type NewJob = JobAddress & { payload: unknown };

export type JobState =
  | 'absent'
  | 'waiting'
  | 'active'
  | 'delayed'
  | 'waiting-children'
  | 'completed'
  | 'failed';
/** `outcome` where the job ended with one. */
export type Inspection = { state: JobState; outcome: Outcome | null };

/** What lies in one queue. `oldestWaitMs`: how long the job that is next has been waiting. */
export type QueueCount = {
  kind: QueueKind;
  waiting: number;
  active: number;
  delayed: number;
  oldestWaitMs: number | null;
};

export type Producer = ReturnType<typeof createProducer>;

const states: Record<string, JobState> = {
  waiting: 'waiting',
  prioritized: 'waiting',
  active: 'active',
  delayed: 'delayed',
  'waiting-children': 'waiting-children',
  completed: 'completed',
  failed: 'failed',
};

/** Milliseconds. BullMQ may wait for a connection for as long as it takes; whoever calls here may not. */
const deadline = 5_000;

/** The gateway looks after the tunnel, workers after all the rest. */
const kindsOf = (host: string): QueueKind[] =>
  queueKinds.filter((kind) => (kind === 'tunnel') === (host === gatewayHost));

type Options = { redisUrl: string; instance: string; linkSecret: string; log: Log };

export const createProducer = ({ redisUrl, instance, linkSecret, log }: Options) => {
  const redis = connectRedis(redisUrl, 'producer', log);
  const seal = createSeal(linkSecret, instance);
  const privates = { redis, instance, seal, log };
  const queues = new Map<string, Queue>();

  const queueCalled = (name: string): Queue => {
    const known = queues.get(name);
    if (known !== undefined) return known;
    const queue = new Queue(name, { connection: redis, prefix: instance });
    queue.on('error', (err) => log.debug({ err, queue: name }, 'queue'));
    queues.set(name, queue);
    return queue;
  };

  /**
   * A queue whose first contact with Redis failed never recovers: its next use fails with the same error. So a queue
   * that failed is let go, and the next call makes a new one.
   */
  const use = async <T>(name: string, act: (queue: Queue) => Promise<T>): Promise<T> => {
    requireRedis();
    const queue = queueCalled(name);
    try {
      return await withDeadline(act(queue), deadline, `queue ${name}`);
    } catch (error) {
      if (queues.get(name) === queue) queues.delete(name);
      queue.close().catch((err) => log.debug({ err, queue: name }, 'queue'));
      throw error;
    }
  };

  const nameOf = (jobName: JobName, host: string): string => queueName(findJob(jobName).queue, host);

  /** Redis must be there now: without this, an add would wait inside BullMQ for as long as Redis is away. */
  const requireRedis = (): void => {
    if (redis.status !== 'ready') throw new Error(`Redis is ${redis.status}`);
  };

  const bulkJob = ({ jobName, jobId, payload }: NewJob) => {
    const job = findJob(jobName);
    const { attempts, keptAtMost } = job;
    const kept = keptAtMost === undefined ? keptJobs : { ...keptJobs, count: keptAtMost };
    return {
      name: jobName,
      data: sealFields(seal, job, jobId, job.payload.parse(payload)),
      opts: {
        jobId,
        attempts,
        backoff: { type: 'exponential', delay: 1_000, jitter: 0.2 },
        removeOnComplete: kept,
        removeOnFail: kept,
      },
    };
  };

  return {
    redis,
    isReady: (): boolean => redis.status === 'ready',
    /** Adds a job; one that is there already, waiting or ended, stays as it is. */
    async add(job: NewJob): Promise<void> {
      const { name, data, opts } = bulkJob(job);
      await use(nameOf(job.jobName, job.host), (queue) =>
        sideEffect('redis: add a job', () => queue.add(name, data, opts)),
      );
    },
    /** The same for many, in one round trip per queue. */
    async addMany(jobs: readonly NewJob[]): Promise<void> {
      const byQueue = Map.groupBy(jobs, ({ jobName, host }) => nameOf(jobName, host));
      await Promise.all(
        [...byQueue].map(([name, ofQueue]) =>
          use(name, (queue) => sideEffect('redis: add jobs', () => queue.addBulk(ofQueue.map(bulkJob)))),
        ),
      );
    },
    inspect: ({ jobName, host, jobId }: JobAddress): Promise<Inspection> =>
      use(nameOf(jobName, host), async (queue) => {
        const state = states[await queue.getJobState(jobId)] ?? 'absent';
        if (state !== 'completed') return { state, outcome: null };
        const job: BullJob | undefined = await queue.getJob(jobId);
        return { state, outcome: outcome.safeParse(job?.returnvalue).data ?? null };
      }),
    /** How many jobs wait before this one; null once it waits no more. */
    position: ({ jobName, host, jobId }: JobAddress): Promise<number | null> =>
      use(nameOf(jobName, host), async (queue) => {
        const waiting = await redis.lrange(queue.toKey('wait'), 0, 1_000);
        // Jobs are taken from the end of the list.
        const place = waiting.toReversed().indexOf(jobId);
        return place === -1 ? null : place;
      }),
    /** What lies in the queues of a host. */
    countQueues: (host: string): Promise<QueueCount[]> =>
      Promise.all(
        kindsOf(host).map((kind) =>
          use(queueName(kind, host), async (queue) => {
            const { jobs, oldestWaitMs } = await readQueueDepth(queue);
            const { waiting, active, delayed } = jobs;
            return { kind, waiting, active, delayed, oldestWaitMs };
          }),
        ),
      ),
    raiseFence: (vmId: string, epoch: number) => raiseFence(redis, instance, vmId, epoch),
    cancel: (operationId: string) => requestCancellation(redis, instance, operationId),
    putPrivate: (name: string, bytes: Buffer) => putPrivate(privates, name, bytes),
    readPrivate: (name: string) => readPrivate(privates, name),
    issueTicket: (ticket: string, to: Grant) => issueTicket(redis, instance, ticket, to),
    forgetPrivate: (...names: string[]) => forgetPrivate(redis, instance, ...names),
    rewriteHistory: () => rewriteHistory(redis),
    async close(): Promise<void> {
      await closeRedis(redis);
    },
  };
};
