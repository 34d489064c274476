import type { JobAddress, Producer } from '../../queues/producer.ts';
import type { Log } from '../../shared/log.ts';
import type { Db } from './conversation.ts';
import { operationMessageKey } from './notifications.ts';
import { catalogNameOf } from './operation-job.ts';
import type { ProgressBoard } from './progress-board.ts';
import { findOpenOperations } from './queries.ts';

/** Keeps the messages of work on its way alive: elapsed time, and the place in the queue while it waits. */

export type Ticker = { close(): Promise<void> };

type Dependencies = {
  db: Db;
  producer: Pick<Producer, 'position'>;
  board: ProgressBoard;
  refresh: (messageKey: string) => void;
  log: Log;
  /** Milliseconds between two looks. */
  interval?: number;
};

/** An operation younger than this has just been answered; nothing to add yet. Milliseconds. */
const settling = 1_500;

export const createTicker = ({
  db,
  producer,
  board,
  refresh,
  log,
  interval = 2_000,
}: Dependencies): Ticker => {
  let running: Promise<void> = Promise.resolve();

  /** While Redis is away the elapsed time goes on without the place. */
  const placeOf = (job: JobAddress): Promise<number | null> =>
    producer.position(job).catch((err) => {
      log.debug({ err, jobId: job.jobId }, 'its place in the queue is not known');
      return null;
    });

  const look = async (): Promise<void> => {
    for (const operation of await findOpenOperations(db)) {
      const { operation_id: operationId, host, attempt } = operation;
      const age = Date.now() - Date.parse(operation.requested_at);
      // The clock may have been set back since: then it looks as if it were yet to come.
      if (operation.chat === null || (age >= 0 && age < settling)) continue;
      if (board.of(operationId, host).step === null) {
        const jobName = catalogNameOf(operation.kind);
        board.setAhead(operationId, await placeOf({ jobName, host, jobId: `${operationId}.${attempt}` }));
      }
      refresh(operationMessageKey(operationId));
    }
  };

  const timer = setInterval(() => {
    running = running
      .then(look)
      .catch((err) => log.warn({ err }, 'no look at waiting operations was possible'));
  }, interval);

  return {
    close: () => {
      clearInterval(timer);
      return running;
    },
  };
};
