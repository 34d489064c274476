import type { Redis } from 'ioredis';
import type { Log } from '../shared/log.ts';
import type { Progress } from './catalog.ts';
import { publishProgress } from './progress.ts';
import type { Seal } from './seal.ts';

/** People read about once a second; what comes faster replaces what has not been told yet. Milliseconds. */
const interval = 700;

/**
 * Tells a job's steps: a new step at once, more of the same step (growing output, a build's lines) at most about
 * once a second, the newest always in the end.
 */
export const createProgressReporter = ({
  redis,
  instance,
  seal,
  log,
}: {
  redis: Redis;
  instance: string;
  seal: Seal;
  log: Log;
}) => {
  let toldAt = Number.NEGATIVE_INFINITY;
  let toldStep: string | null = null;
  let waiting: Progress | null = null;
  let timer: NodeJS.Timeout | null = null;

  const tell = async (step: Progress): Promise<void> => {
    toldAt = performance.now();
    toldStep = step.step;
    // Progress is a courtesy: while Redis is away the work goes on without it.
    if (redis.status !== 'ready') return;
    await publishProgress({ redis, instance, seal }, step).catch((err) =>
      log.debug({ err }, 'a step was not told'),
    );
  };

  return async (step: Progress): Promise<void> => {
    const pause = toldAt + interval - performance.now();
    if (step.step !== toldStep || pause <= 0) {
      waiting = null;
      await tell(step);
      return;
    }
    waiting = step;
    if (timer !== null) return;
    timer = setTimeout(() => {
      timer = null;
      if (waiting !== null) void tell(waiting);
      waiting = null;
    }, pause);
    timer.unref();
  };
};
