import type { Producer } from '../../queues/producer.ts';
import type { Log } from '../../shared/log.ts';
import { emptyLog } from './housekeeping.ts';
import type { DomainEvent } from './store/domain-event.ts';
import type { Store } from './store/store.ts';

/**
 * After a VM is destroyed, what was its own must not lie about: deleted rows stand in the write-ahead log until it is
 * emptied, and deleted values in Redis' append-only file until that is written anew.
 */

/** Milliseconds. Writing the file anew costs Redis work; the last word of a worker on a VM that is gone comes sooner. */
const shortestInterval = 60_000;

type Dependencies = { store: Pick<Store, 'db'>; producer: Pick<Producer, 'rewriteHistory'>; log: Log };

export const createTraces = ({ store, producer, log }: Dependencies, interval = shortestInterval) => {
  let rewrittenAt = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;

  const rewrite = (): void => {
    rewrittenAt = performance.now();
    producer.rewriteHistory().catch((err) => {
      log.info({ err }, 'Redis did not write its append-only file anew; it is asked again');
      again();
    });
  };
  const again = (): void => {
    timer ??= setTimeout(() => {
      timer = undefined;
      rewrite();
    }, interval).unref();
  };

  return {
    /** When the bot begins: the one before may have ended with a rewrite still owed. */
    begin: rewrite,
    onCommitted(events: readonly DomainEvent[]): void {
      if (!events.some(({ type }) => type === 'VmDestroyed')) return;
      emptyLog(store).catch((err) => log.warn({ err }, 'the write-ahead log could not be emptied'));
      if (performance.now() - rewrittenAt >= interval) rewrite();
      // Once more, for others that follow and for what comes late.
      again();
    },
    close: (): void => clearTimeout(timer),
  };
};
