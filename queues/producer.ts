import { type Job as BullJob, Queue } from 'bullmq';
import type { Log } from '../shared/log.ts';
import { requestCancellation } from './cancellation.ts';
import { findJob, type JobName, type Outcome, outcome } from './catalog.ts';
import { closeRedis, connectRedis, keptJobs, queueName } from './connection.ts';
import { raiseFence } from './fence.ts';
import { forgetPrivate, putPrivate, readPrivate } from './private-values.ts';

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

type Options = { redisUrl: string; instance: string; log: Log };

export const createProducer = ({ redisUrl, instance, log }: Options) => {
  const redis = connectRedis(redisUrl, 'producer', log);
  const queues = new Map<string, Queue>();

  const queueOf = (jobName: JobName, host: string): Queue => {
    const name = queueName(findJob(jobName).queue, host);
    const known = queues.get(name);
    if (known !== undefined) return known;
    const queue = new Queue(name, { connection: redis, prefix: instance });
    queue.on('error', (err) => log.debug({ err, queue: name }, 'queue'));
    queues.set(name, queue);
    return queue;
  };

  const bulkJob = ({ jobName, jobId, payload }: NewJob) => {
    const { attempts, payload: schema } = findJob(jobName);
    return {
      name: jobName,
      data: schema.parse(payload),
      opts: {
        jobId,
        attempts,
        backoff: { type: 'exponential', delay: 1_000, jitter: 0.2 },
        removeOnComplete: keptJobs,
        removeOnFail: keptJobs,
      },
    };
  };

  /** Redis must be there now: without this, an add would wait inside BullMQ for as long as Redis is away. */
  const requireRedis = (): void => {
    if (redis.status !== 'ready') throw new Error(`Redis is ${redis.status}`);
  };

  return {
    redis,
    isReady: (): boolean => redis.status === 'ready',
    /** Adds a job; one that is there already, waiting or ended, stays as it is. */
    async add(job: NewJob): Promise<void> {
      requireRedis();
      const { name, data, opts } = bulkJob(job);
      await queueOf(job.jobName, job.host).add(name, data, opts);
    },
    /** The same for many, in one round trip per queue. */
    async addMany(jobs: readonly NewJob[]): Promise<void> {
      requireRedis();
      const byQueue = Map.groupBy(jobs, ({ jobName, host }) => queueOf(jobName, host));
      await Promise.all([...byQueue].map(([queue, ofQueue]) => queue.addBulk(ofQueue.map(bulkJob))));
    },
    async inspect({ jobName, host, jobId }: JobAddress): Promise<Inspection> {
      requireRedis();
      const queue = queueOf(jobName, host);
      const state = states[await queue.getJobState(jobId)] ?? 'absent';
      if (state !== 'completed') return { state, outcome: null };
      const job: BullJob | undefined = await queue.getJob(jobId);
      return { state, outcome: outcome.safeParse(job?.returnvalue).data ?? null };
    },
    /** How many jobs wait before this one; null once it waits no more. */
    async position({ jobName, host, jobId }: JobAddress): Promise<number | null> {
      requireRedis();
      const queue = queueOf(jobName, host);
      const waiting = await redis.lrange(queue.toKey('wait'), 0, 1_000);
      // Jobs are taken from the end of the list.
      const place = waiting.toReversed().indexOf(jobId);
      return place === -1 ? null : place;
    },
    raiseFence: (vmId: string, epoch: number) => raiseFence(redis, instance, vmId, epoch),
    cancel: (operationId: string) => requestCancellation(redis, instance, operationId),
    putPrivate: (name: string, bytes: Buffer) => putPrivate(redis, instance, name, bytes),
    readPrivate: (name: string) => readPrivate(redis, instance, name),
    forgetPrivate: (...names: string[]) => forgetPrivate(redis, instance, ...names),
    async close(): Promise<void> {
      await closeRedis(redis);
    },
  };
};
