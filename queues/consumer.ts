import {
  type Job as BullJob,
  DelayedError,
  Queue,
  UnrecoverableError,
  WaitingChildrenError,
  Worker,
} from 'bullmq';

import { customAlphabet } from 'nanoid';
import { sideEffect } from '../shared/failpoint.ts';
import { withDeadline } from '../shared/lifecycle.ts';
import type { Log } from '../shared/log.ts';
import { cancelChannel, isCancelled } from './cancellation.ts';
import {
  catalog,
  findJob,
  type GatewayCatalog,
  type Job,
  type Outcome,
  outcome,
  type Payload,
  type Progress,
  type QueueKind,
  type Result,
  type WorkerCatalog,
} from './catalog.ts';
import { closeRedis, connectRedis, keptJobs, queueName, runRetryDelay } from './connection.ts';
import { watchDelayed } from './delayed-jobs.ts';
import { CancelledError, OperationError, RetryableError, redacted, SupersededError } from './errors.ts';
import { checkFence } from './fence.ts';
import { keepLock, lockDuration } from './lock-renewal.ts';
import { putPrivate, readPrivate } from './private-values.ts';
import { createProgressReporter } from './progress-reporter.ts';
import { createReporter } from './reports.ts';
import { createSeal, openFields, sealFields } from './seal.ts';
import { untilTaken } from './until-taken.ts';

/**
 * Takes jobs and hands each to its processor. A job may come twice, at the same time even: its lock is no mutex.
 * Processors look before they act and check the fence before they change anything.
 */

export type Context = {
  log: Log;
  /** Aborts when the operation is cancelled, the job is lost to another worker, or this worker shuts down. */
  signal: AbortSignal;
  /** No further try follows this one. */
  lastAttempt: boolean;
  /** Tells the chat; never throws, and drops what comes faster than a person reads. */
  progress(step: Progress['step'], extra?: { detail?: string; output?: string }): Promise<void>;
  /** Throws SupersededError when the VM has a newer operation. */
  checkFence(): Promise<void>;
  /** The same also when the job was called off: for what has to be undone then. */
  checkEpoch(): Promise<void>;
  /** Null where Redis has no such value, or lost it. */
  takePrivate(name: string): Promise<Buffer | null>;
  putPrivate(name: string, bytes: Buffer): Promise<void>;
  /**
   * Has another job done first, and gives its outcome. This job leaves its slot meanwhile and then begins anew, so
   * call it before anything is changed, and look whether it is needed before.
   */
  runFirst<J extends Job>(job: J, payload: Payload<J>): Promise<Outcome>;
};

export type Processor<J extends Job> = (payload: Payload<J>, context: Context) => Promise<Result<J>>;
type ProcessorsOf<C> = { [Name in keyof C]: C[Name] extends Job ? Processor<C[Name]> : never };
/** One processor per job of a worker, or of the gateway: a missing one does not compile. */
export type Processors = ProcessorsOf<WorkerCatalog>;
export type GatewayProcessors = ProcessorsOf<GatewayCatalog>;

export type ConsumerOptions = {
  redisUrl: string;
  instance: string;
  host: string;
  /** The one of the bot: what it seals is opened here. */
  linkSecret: string;
  /** How many jobs of each kind this process does at once. */
  concurrency: Partial<Record<QueueKind, number>>;
  processors: Processors | GatewayProcessors;
  log: Log;
  /** Which queues to take from; by default those of the jobs that there are processors for. */
  kinds?: readonly QueueKind[];
};

const newErrorId = customAlphabet('abcdefghijkmnpqrstuvwxyz23456789', 8);

/** Reasons an abort can have. */
const lostReason = 'lost';
const shutdownReason = 'shutdown';
const cancelReason = 'cancelled';

const abortReason = (signal: AbortSignal | undefined): string | null => {
  if (signal === undefined || !signal.aborted) return null;
  const { reason } = signal;
  return reason instanceof Error ? reason.message : String(reason);
};

type Ids = { operationId: string; vmId: string | null; epoch: number | null; correlationId: string | null };

const idsOf = (data: unknown, jobId: string): Ids => {
  const { operationId, requestId, vmId, epoch, correlationId } = data as Record<string, unknown>;
  return {
    operationId: String(operationId ?? requestId ?? jobId),
    vmId: typeof vmId === 'string' ? vmId : null,
    epoch: typeof epoch === 'number' ? epoch : null,
    correlationId: typeof correlationId === 'string' ? correlationId : null,
  };
};

/** A build that nobody asked for by itself: all creations that wait for it follow its progress. */
const isShared = (job: BullJob): boolean =>
  findJob(job.name).queue === 'image' && job.data.operationId === undefined;

const isLastAttempt = (job: BullJob): boolean => job.attemptsMade + 1 >= (job.opts.attempts ?? 1);

/** What an error means for the operation; null where the job should be tried again or nobody waits for it. */
const outcomeOf = (error: unknown, last: boolean, log: Log): Outcome | null => {
  if (error instanceof CancelledError) return { kind: 'cancelled' };
  if (error instanceof OperationError || (error instanceof RetryableError && last)) {
    return { kind: 'failed', reason: { code: error.code, detail: error.detail.slice(0, 500) } };
  }
  if (!last) return null;
  // The text of an unexpected error may hold anything; people get an id that finds it in the log.
  const errorId = newErrorId();
  log.error({ err: error, errorId }, 'gave up');
  return { kind: 'failed', reason: { code: 'gave-up', detail: errorId } };
};

export const createConsumer = (options: ConsumerOptions) => {
  const { redisUrl, instance, host, linkSecret, concurrency, processors, log } = options;
  const seal = createSeal(linkSecret, instance);
  const jobs = Object.keys(processors).map((key) => catalog[key as keyof typeof catalog]);
  const kinds = options.kinds ?? [...new Set(jobs.map(({ queue }) => queue))];
  const redis = connectRedis(redisUrl, 'consumer', log);
  const subscriber = connectRedis(redisUrl, 'subscriber', log);
  const report = createReporter(redis, instance, log);
  const queues = new Map<QueueKind, Queue>();
  const queueOf = (kind: QueueKind): Queue => {
    const known = queues.get(kind);
    if (known !== undefined) return known;
    const queue = new Queue(queueName(kind, host), { connection: redis, prefix: instance });
    queue.on('error', (err) => log.debug({ err }, 'queue'));
    queues.set(kind, queue);
    return queue;
  };
  const byName = new Map(
    Object.entries(processors).map(([key, process]) => [
      catalog[key as keyof typeof catalog].name as string,
      process as unknown,
    ]),
  );
  /** Operations being worked on here, by id: several jobs may have the same one. */
  const running = new Map<string, Set<{ worker: Worker; jobId: string }>>();

  /** However many workers a host has: one build at a time. Redis holds the limit, and loses it with all the rest. */
  const limitBuilds = () => queueOf('image').setGlobalConcurrency(1);

  const runFirst =
    (parent: BullJob, token: string) =>
    async <J extends Job>(job: J, payload: Payload<J>): Promise<Outcome> => {
      const queue = queueOf(job.queue);
      const jobId = `${parent.id}.${job.name}`;
      const key = queue.toKey(jobId);
      const { [key]: done } = await parent.getChildrenValues();
      const { [key]: failed } = await parent.getIgnoredChildrenFailures();
      if (done !== undefined) return outcome.parse(done);
      if (failed !== undefined) return { kind: 'failed', reason: { code: 'gave-up', detail: '' } };
      if (job.queue === 'image') await limitBuilds();
      const options = {
        jobId,
        attempts: job.attempts,
        parent: { id: parent.id!, queue: parent.queueQualifiedName },
        ignoreDependencyOnFailure: true,
        removeOnComplete: keptJobs,
        removeOnFail: keptJobs,
      };
      const data = sealFields(seal, job, jobId, job.payload.parse(payload));
      await sideEffect('redis: add a job before another', () => queue.add(job.name, data, options));
      if (await parent.moveToWaitingChildren(token)) throw new WaitingChildrenError();
      // The child ended between the two looks.
      return runFirst(parent, token)(job, payload);
    };

  const contextOf = (job: BullJob, token: string, ids: Ids, jobLog: Log, signal: AbortSignal): Context => {
    const checkEpoch = async (): Promise<void> => {
      if (ids.vmId !== null && ids.epoch !== null) await checkFence(redis, instance, ids.vmId, ids.epoch);
    };
    const tell = createProgressReporter({ redis, instance, seal, log: jobLog });
    const privates = { redis, instance, seal, log: jobLog };
    return {
      log: jobLog,
      signal,
      lastAttempt: isLastAttempt(job),
      progress: (step, extra = {}) =>
        tell({
          host,
          operationId: isShared(job) ? null : ids.operationId,
          step,
          ...extra,
        }),
      checkFence: async () => {
        signal.throwIfAborted();
        await checkEpoch();
      },
      checkEpoch,
      takePrivate: (name) => readPrivate(privates, name),
      putPrivate: (name, bytes) =>
        untilTaken(
          () => putPrivate(privates, name, bytes),
          jobLog,
          () => abortReason(signal) === shutdownReason,
        ),
      runFirst: runFirst(job, token),
    };
  };

  const work = async (
    job: BullJob,
    token: string,
    signal: AbortSignal,
    jobLog: Log,
    ids: Ids,
  ): Promise<Outcome> => {
    const declared = findJob(job.name);
    const process = byName.get(job.name) as (data: unknown, context: Context) => Promise<unknown>;
    if (await isCancelled(redis, instance, ids.operationId))
      throw new CancelledError('cancelled before it began');
    const context = contextOf(job, token, ids, jobLog, signal);
    await context.checkFence();
    const payload = declared.payload.parse(openFields(seal, declared, job.id!, job.data));
    const value = await process(payload, context);
    return { kind: 'succeeded', result: declared.result.parse(value) };
  };

  const processJob = async (
    worker: Worker,
    job: BullJob,
    token: string,
    signal: AbortSignal,
  ): Promise<unknown> => {
    const ids = idsOf(job.data, job.id!);
    const jobLog = log.child({ job: job.name, ...ids });
    const startedAt = performance.now();
    const took = () => Math.round(performance.now() - startedAt);
    const entry = { worker, jobId: job.id! };
    const entries = running.get(ids.operationId) ?? new Set();
    running.set(ids.operationId, entries.add(entry));
    jobLog.info({ attempt: job.attemptsMade + 1 }, 'job began');
    let ended: Outcome;
    try {
      ended = await work(job, token, signal, jobLog, ids);
    } catch (error) {
      if (error instanceof WaitingChildrenError) {
        jobLog.info('job waits for another');
        throw error;
      }
      const reason = abortReason(signal);
      if (error instanceof SupersededError) {
        jobLog.info({ ms: took() }, 'job was superseded');
        return null;
      }
      if (reason === lostReason || reason === shutdownReason) {
        jobLog.warn({ reason, ms: took() }, 'job is handed back');
        if (reason === lostReason) throw redacted(error);
        // Delayed until now, it is another worker's at once, and this was no failed try.
        await sideEffect('redis: hand a job back', () => job.moveToDelayed(Date.now(), token));
        throw new DelayedError();
      }
      const last = isLastAttempt(job) || error instanceof UnrecoverableError;
      const meaning = outcomeOf(reason === cancelReason ? new CancelledError(reason) : error, last, jobLog);
      if (meaning === null) {
        jobLog.warn({ err: error, attempt: job.attemptsMade + 1, ms: took() }, 'job will be tried again');
        throw redacted(error);
      }
      ended = meaning;
    } finally {
      entries.delete(entry);
      if (entries.size === 0) running.delete(ids.operationId);
    }
    const failure = ended.kind === 'failed' ? { code: ended.reason.code } : {};
    jobLog.info({ outcome: ended.kind, ...failure, ms: took() }, 'job ended');
    const told = {
      jobName: job.name,
      jobId: job.id!,
      operationId: ids.operationId,
      vmId: ids.vmId,
      outcome: ended,
      at: new Date().toISOString(),
    };
    await untilTaken(
      () => report(told),
      jobLog,
      () => abortReason(signal) === shutdownReason,
    );
    return ended;
  };

  const processLocked = async (
    worker: Worker,
    job: BullJob,
    token: string,
    signal: AbortSignal,
  ): Promise<unknown> => {
    const onLost = () => worker.cancelJob(job.id!, lostReason);
    const letGo = keepLock(worker, { jobId: job.id!, token, onLost, log });
    return processJob(worker, job, token, signal).finally(letGo);
  };

  const workers = kinds.map((kind) => {
    const worker: Worker = new Worker(
      queueName(kind, host),
      (job, token, signal) => processLocked(worker, job, token!, signal!),
      {
        connection: redis,
        prefix: instance,
        concurrency: concurrency[kind] ?? 1,
        lockDuration,
        skipLockRenewal: true, // ours does not follow the wall's clock
        stalledInterval: 5_000,
        runRetryDelay,
        maxStalledCount: 5,
        removeOnComplete: keptJobs,
        removeOnFail: keptJobs,
      },
    );
    worker.on('error', (err) => log.debug({ err, kind }, 'worker'));
    return worker;
  });
  const delayed = watchDelayed(
    redis,
    kinds.map((kind) => queueOf(kind)),
    log,
  );

  subscriber.on('message', (_channel, operationId) => {
    for (const { worker, jobId } of running.get(operationId) ?? []) worker.cancelJob(jobId, cancelReason);
  });

  const prepare = async (): Promise<void> => {
    await subscriber.subscribe(cancelChannel(instance));
    if (kinds.includes('image')) await limitBuilds();
    await Promise.all(workers.map((worker) => worker.waitUntilReady()));
  };

  return {
    ready: prepare(),
    /** Lets what can be finished finish, hands back the rest. `grace` in milliseconds. */
    async close(grace = 8_000): Promise<void> {
      delayed.close();
      const closing = workers.map((worker) => worker.close());
      await withDeadline(Promise.all(closing), grace, 'finishing jobs').catch(async () => {
        for (const worker of workers) worker.cancelAllJobs(shutdownReason);
        await withDeadline(Promise.all(closing), 2_000, 'handing jobs back').catch((err) =>
          log.warn({ err }, 'left'),
        );
      });
      await Promise.all([closeRedis(subscriber), closeRedis(redis)]);
    },
  };
};

export type Consumer = ReturnType<typeof createConsumer>;
