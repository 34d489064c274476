import type { Worker } from 'bullmq';
import type { Log } from '../shared/log.ts';

/**
 * Keeps the lock of a job that is being worked on. BullMQ's own renewal compares times of the wall's clock: set back by an
 * hour it renews nothing for an hour, the lock lapses after seconds, and a second worker begins the same job.
 */

/** How long a lock is good for, in milliseconds. */
export const lockDuration = 15_000;
const every = lockDuration / 4;

/** Renews until the function that it gives is called. `onLost`: somebody else may have the job by now. */
export const keepLock = (
  worker: Pick<Worker, 'extendJobLocks'>,
  { jobId, token, onLost, log }: { jobId: string; token: string; onLost: () => void; log: Log },
): (() => void) => {
  let asking = false;
  let ended = false;
  const renew = async (): Promise<void> => {
    const lost = await worker.extendJobLocks([jobId], [token], lockDuration);
    if (lost.length > 0 && !ended) onLost();
  };
  const timer = setInterval(() => {
    // While Redis is away the question waits for it; a second one beside it would only wait as well.
    if (asking) return;
    asking = true;
    renew()
      .catch((err: unknown) => log.debug({ err, jobId }, 'the lock of a job could not be renewed'))
      .finally(() => {
        asking = false;
      });
  }, every);
  return () => {
    ended = true;
    clearInterval(timer);
  };
};
