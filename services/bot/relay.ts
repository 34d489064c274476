import { catalog, findJob } from '../../queues/catalog.ts';
import type { NewJob, Producer } from '../../queues/producer.ts';
import { sideEffect } from '../../shared/failpoint.ts';
import { withDeadline } from '../../shared/lifecycle.ts';
import type { Log } from '../../shared/log.ts';
import type { Vault } from '../../shared/secrets/vault.ts';
import { execCommandName } from './sealed-names.ts';
import { isStorageFault } from './store/faults.ts';
import { bringPayloadForward } from './store/old-payloads.ts';
import type { OutboxRow } from './store/schema.ts';
import { openPayload } from './store/sealed-payload.ts';
import type { Store } from './store/store.ts';

/**
 * Carries the outbox to Redis. A row counts as sent once Redis has it; a death in between sends it a second time,
 * which adds nothing: the job's id is there already.
 */

export type Relay = { wake(): void; close(): Promise<void> };

type Dependencies = { store: Pick<Store, 'db'>; vault: Vault; producer: Producer; log: Log };

/** What the jobs of the outbox carry that are about a VM. */
type OperationPayload = { vmId: string; epoch: number };

const batch = 200;
/** Milliseconds. */
const longestPause = 2_000;
const safetyInterval = 10_000;

/** A row that will never become a job, however often it is tried; neither Redis nor the storage is at fault. */
class UnusableRowError extends Error {
  override name = 'UnusableRowError';
}

/** Puts everything that a job needs where its worker finds it, then adds the job. */
export const createDispatcher = ({ store, vault, producer }: Omit<Dependencies, 'log'>) => {
  const read = async (row: OutboxRow) => {
    const { job_name, operation_id, job_id } = row;
    try {
      const { name: jobName, payload: schema } = findJob(job_name ?? '');
      const opened = await openPayload({ db: store.db, vault }, row);
      const written = await bringPayloadForward({ db: store.db, vault }, jobName, opened);
      const payload = schema.parse(written) as object as OperationPayload;
      const isExec = jobName === catalog.exec.name;
      const isLifecycle = findJob(jobName).queue === 'lifecycle' && payload.vmId !== undefined;
      const command = isExec
        ? await vault.unsealBytes(store.db, payload.vmId, execCommandName(operation_id))
        : null;
      return { jobName, payload, isLifecycle, command };
    } catch (error) {
      if (isStorageFault(error)) throw error;
      throw new UnusableRowError(`${job_id} cannot become a job`, { cause: error });
    }
  };

  const prepare = async (row: OutboxRow): Promise<NewJob> => {
    const { jobName, payload, isLifecycle, command } = await read(row);
    // What runs beside the lifecycle must not raise the fence.
    if (isLifecycle) await producer.raiseFence(payload.vmId, payload.epoch);
    if (command !== null) await producer.putPrivate(execCommandName(row.operation_id), command);
    return { jobName, host: row.host, jobId: row.job_id, payload };
  };

  return {
    async dispatch(rows: readonly OutboxRow[]): Promise<void> {
      // In order: what is cancelled must have been added before, and a VM's fence rises with its operations.
      let jobs: Promise<NewJob>[] = [];
      const flush = async () => {
        if (jobs.length > 0) await producer.addMany(await Promise.all(jobs));
        jobs = [];
      };
      for (const row of rows) {
        if (row.kind === 'job') jobs.push(prepare(row));
        else {
          await flush();
          await producer.cancel(row.operation_id);
        }
      }
      await flush();
    },
  };
};

export const createRelay = ({ store, vault, producer, log }: Dependencies): Relay => {
  const { dispatch } = createDispatcher({ store, vault, producer });
  let running: Promise<void> | null = null;
  let again = false;
  let closed = false;
  let failures = 0;
  let timer: NodeJS.Timeout | undefined;

  const sendOnce = async (): Promise<boolean> => {
    const rows = await store.db
      .selectFrom('outbox')
      .selectAll()
      .where('sent_at', 'is', null)
      .orderBy('id')
      .limit(batch)
      .execute();
    if (rows.length === 0) return false;
    await dispatch(rows).catch(async (err) => {
      if (!(err instanceof UnusableRowError)) throw err;
      // Not Redis but a row is at fault: one by one, and the faulty one is left to the sweeper.
      for (const row of rows) {
        await dispatch([row]).catch((fault) => {
          if (!(fault instanceof UnusableRowError)) throw fault;
          log.error({ err: fault, operationId: row.operation_id }, 'a job could not be made');
        });
      }
    });
    const ids = rows.map(({ id }) => id);
    await sideEffect('store: note what was sent', () =>
      store.db
        .updateTable('outbox')
        .set({ sent_at: new Date().toISOString() })
        .where('id', 'in', ids)
        .execute(),
    );
    for (const { operation_id, job_name, kind } of rows) {
      log.info(
        { operationId: operation_id, job: job_name ?? undefined },
        kind === 'job' ? 'job added' : 'cancellation sent',
      );
    }
    return true;
  };

  const later = (delay: number): void => {
    clearTimeout(timer);
    if (!closed) timer = setTimeout(wake, delay);
  };

  const run = async (): Promise<void> => {
    try {
      do {
        again = false;
        while (!closed && (await sendOnce())) failures = 0;
      } while (again && !closed);
      later(safetyInterval);
    } catch (err) {
      failures += 1;
      if (failures === 1) log.warn({ err }, 'Redis cannot take jobs; they wait in the outbox');
      later(Math.min(100 * 2 ** failures, longestPause));
    } finally {
      running = null;
    }
  };

  const wake = (): void => {
    if (closed) return;
    if (running === null) running = run();
    else again = true;
  };

  wake();
  return {
    wake,
    async close() {
      closed = true;
      clearTimeout(timer);
      await withDeadline(running, 3_000, 'the relay').catch((err) => log.debug({ err }, 'left'));
    },
  };
};
