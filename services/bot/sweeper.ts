import type { Outcome, Report } from '../../queues/catalog.ts';
import type { Inspection, Producer } from '../../queues/producer.ts';
import { image, imageStream } from '../../shared/image/image.ts';
import { withDeadline } from '../../shared/lifecycle.ts';
import { link, linkStream } from '../../shared/link/link.ts';
import type { Log } from '../../shared/log.ts';
import type { Vault } from '../../shared/secrets/vault.ts';
import { strayStream, strays } from '../../shared/stray/stray.ts';
import { vm, vmStream } from '../../shared/vm/decider.ts';
import { createAges } from './ages.ts';
import { catalogNameOf } from './operation-job.ts';
import { findOpenOperations } from './queries.ts';
import { createDispatcher } from './relay.ts';
import { isVmOperation, type OperationRow, type OutboxRow } from './store/schema.ts';
import type { Store } from './store/store.ts';

/**
 * Looks after operations that nobody else ends: a job that Redis lost is added again, an outcome whose report was
 * lost is taken from the job, and what goes on for too long ends as timed out.
 */

export type Sweeper = { sweep(): Promise<void>; close(): Promise<void> };

type Dependencies = {
  store: Store;
  vault: Vault;
  producer: Producer;
  record: (report: Pick<Report, 'operationId' | 'jobId' | 'outcome' | 'at'>) => Promise<void>;
  log: Log;
  /** Milliseconds between two sweeps, and how old a job must be before it is looked after. */
  interval?: number;
  now?: () => number;
  /** Milliseconds of a clock that never jumps. */
  steady?: () => number;
};

const minute = 60_000;
/** How long an operation may be open, in milliseconds; creation may wait for an image to be built. */
const deadlines: Record<string, number> = {
  create: 45 * minute,
  start: 15 * minute,
  restart: 15 * minute,
  stop: 15 * minute,
  destroy: 30 * minute,
  access: 10 * minute,
  'build-image': 60 * minute,
  link: 2 * minute,
  'remove-strays': 15 * minute,
};
const execGrace = 5 * minute;

const deadlineOf = ({ kind, timeout_seconds }: OperationRow): number =>
  deadlines[kind] ?? (timeout_seconds ?? 0) * 1_000 + execGrace;

/** What a job's end without an outcome means: it was given up by the queue itself. */
const lostOutcome = (kind: string): Outcome => ({
  kind: 'failed',
  reason: { code: kind === 'exec' ? 'outcome-unknown' : 'gave-up', detail: '' },
});

export const createSweeper = (dependencies: Dependencies): Sweeper => {
  const { store, vault, producer, record, log, interval = 5_000, now = Date.now, steady } = dependencies;
  const { dispatch } = createDispatcher({ store, vault, producer });
  const ages = createAges(steady);
  const sentAges = createAges(steady);

  const timeOut = async (operation: OperationRow): Promise<void> => {
    const { operation_id: operationId, kind, host, chat, correlation_id: correlationId } = operation;
    log.warn({ operationId, correlationId, kind }, 'operation timed out');
    const at = new Date(now()).toISOString();
    const metadata = { actor: null, chat, correlationId, causationId: 'sweeper' };
    await store.transaction(async (trx) => {
      if (isVmOperation(operation)) {
        const { vm_id: vmId } = operation;
        const command = { type: 'RecordTimedOut', data: { operationId, vmId, at } } as const;
        await store.handle(trx, vm, vmStream(vmId), command, metadata);
      } else if (kind === 'link') {
        const command = { type: 'RecordLinkTimedOut', data: { operationId, at } } as const;
        await store.handle(trx, link, linkStream(operationId), command, metadata);
      } else if (kind === 'remove-strays') {
        const command = { type: 'RecordStrayRemovalTimedOut', data: { operationId, host, at } } as const;
        await store.handle(trx, strays, strayStream(host), command, metadata);
      } else {
        const command = { type: 'RecordImageBuildTimedOut', data: { operationId, host, at } } as const;
        await store.handle(trx, image, imageStream(host), command, metadata);
      }
    });
  };

  const reAdd = async (operation: OperationRow, jobId: string): Promise<void> => {
    const row = await store.db
      .selectFrom('outbox')
      .selectAll()
      .where('kind', '=', 'job')
      .where('job_id', '=', jobId)
      .executeTakeFirst();
    if (row === undefined) return;
    await dispatch([row]);
    const { operation_id: operationId, correlation_id: correlationId } = operation;
    log.warn({ operationId, correlationId, jobId }, 'Redis had lost a job; it was added again');
  };

  const settle = async (
    operation: OperationRow,
    jobId: string,
    { state, outcome }: Inspection,
  ): Promise<void> => {
    switch (state) {
      case 'absent':
        return reAdd(operation, jobId);
      case 'completed':
      case 'failed':
        return record({
          operationId: operation.operation_id,
          jobId,
          outcome: outcome ?? lostOutcome(operation.kind),
          at: new Date(now()).toISOString(),
        });
      default:
        // It waits or runs; should its worker have missed that it was cancelled, it hears it again.
        if (operation.cancelling === 1) await producer.cancel(operation.operation_id);
    }
  };

  type JobRow = Pick<OutboxRow, 'created_at' | 'sent_at'>;

  const findJobs = async (operationIds: string[]): Promise<Map<string, JobRow>> => {
    const rows = await store.db
      .selectFrom('outbox')
      .select(['job_id', 'created_at', 'sent_at'])
      .where('kind', '=', 'job')
      .where('operation_id', 'in', operationIds)
      .execute();
    return new Map(rows.map(({ job_id, ...row }) => [job_id, row]));
  };

  /** Long enough ago for the job's absence to mean something. */
  const wasSent = (jobId: string, job: JobRow | undefined): boolean =>
    job !== undefined &&
    job.sent_at !== null &&
    sentAges.of(jobId, Date.parse(job.sent_at), now()) > interval;

  /** A job made later than it was asked for, as after a restore, has its time from then on. */
  const isOverdue = (operation: OperationRow, job: JobRow | undefined): boolean => {
    const begun = Math.max(Date.parse(operation.requested_at), Date.parse(job?.created_at ?? '1970-01-01'));
    return ages.of(`${operation.operation_id}.${operation.attempt}`, begun, now()) > deadlineOf(operation);
  };

  const look = async (operation: OperationRow, job: JobRow | undefined): Promise<void> => {
    const { operation_id: operationId, attempt, kind, host } = operation;
    const jobId = `${operationId}.${attempt}`;
    // Whatever time is over: a job that has ended knows how.
    if (wasSent(jobId, job) && producer.isReady()) {
      const inspection = await producer.inspect({ jobName: catalogNameOf(kind), host, jobId });
      const ended = inspection.state === 'completed' || inspection.state === 'failed';
      if (ended || !isOverdue(operation, job)) return settle(operation, jobId, inspection);
    }
    if (isOverdue(operation, job)) await timeOut(operation);
  };

  const sweep = async (): Promise<void> => {
    const open = await findOpenOperations(store.db);
    for (const known of [ages, sentAges]) known.begin();
    await lookAtEach(open);
    for (const known of [ages, sentAges]) known.end();
  };

  const lookAtEach = async (open: readonly OperationRow[]): Promise<void> => {
    if (open.length === 0) return;
    const jobs = await findJobs(open.map(({ operation_id }) => operation_id));
    for (const operation of open) {
      // One that cannot be looked after must not keep the others from it.
      const job = jobs.get(`${operation.operation_id}.${operation.attempt}`);
      await look(operation, job).catch((err) =>
        log.warn({ err, operationId: operation.operation_id }, 'an operation could not be looked after'),
      );
    }
  };

  let running: Promise<void> = Promise.resolve();
  const sweepSafely = (): Promise<void> => {
    running = running.then(sweep).catch((err) => log.debug({ err }, 'a sweep was not possible'));
    return running;
  };
  const timer = setInterval(sweepSafely, interval);
  // The first one comes with the interval: right at the start Redis cannot be asked yet.

  return {
    sweep: sweepSafely,
    async close() {
      clearInterval(timer);
      await withDeadline(running, 3_000, 'the sweep').catch((err) => log.debug({ err }, 'left'));
    },
  };
};
