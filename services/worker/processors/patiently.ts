import type { Job } from '../../../queues/catalog.ts';
import type { Processor } from '../../../queues/consumer.ts';
import { OperationError } from '../../../queues/errors.ts';
import { isUnreachable } from '../docker/engine.ts';
import type { EngineWatch } from '../docker/engine-watch.ts';

/**
 * Work that meets a Docker that does not answer waits for it, and begins anew when it is back: every processor looks
 * before it acts, so what Docker did without saying so is found, not repeated. `/exec` finds its mark.
 */

/** Docker answers, but this call of it never does: waiting longer would help nobody. */
const fruitlessTries = 3;

/**
 * `patience`: milliseconds in all, less than the bot waits for the operation, so that the reason which people read is
 * the true one. Measured without the clock of the wall, which may jump.
 */
export const patiently =
  <J extends Job>(watch: EngineWatch, patience: number, process: Processor<J>): Processor<J> =>
  async (payload, context) => {
    const begun = performance.now();
    const left = (): number => patience - (performance.now() - begun);
    let fruitless = 0;
    for (;;) {
      try {
        return await process(payload, context);
      } catch (error) {
        if (!isUnreachable(error) || context.signal.aborted) throw error;
        fruitless = watch.answers() ? fruitless + 1 : 0;
        if (left() <= 0) throw new OperationError('docker-unreachable', (error as OperationError).detail);
        if (fruitless >= fruitlessTries) throw error;
        context.log.warn({ err: error }, 'Docker does not answer; the job waits for it');
      }
      const overdue = AbortSignal.timeout(Math.ceil(Math.max(1, left())));
      await watch.nextAnswer(AbortSignal.any([context.signal, overdue])).catch(() => {
        // called off, or out of patience: the next look says which
      });
      context.signal.throwIfAborted();
      await context.checkFence();
    }
  };
