import { type Log, redactText } from './log.ts';

/**
 * A process takes resources one after another and gives them back in the reverse order, once, however many
 * signals arrive. A release that hangs is left behind at its deadline, so that shutting down always ends.
 */

export type Release = () => Promise<unknown> | unknown;

export type Lifecycle = {
  /** Registers what gives a resource back; `deadline` in milliseconds. */
  onShutdown(name: string, release: Release, deadline?: number): void;
  /** Releases everything; every call returns the same promise. */
  shutdown(): Promise<void>;
  /** Aborts when the shutdown begins. */
  readonly signal: AbortSignal;
  /** Ends the process with status 1, in order: it makes no sense to go on. */
  fail(error: unknown): void;
};

/** Settles as `work` does, or rejects with a DeadlineError after `ms` milliseconds. `work` itself goes on. */
export const withDeadline = async <T>(work: Promise<T> | T, ms: number, what: string): Promise<T> => {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new DeadlineError(`${what} did not end within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([work, deadline]);
  } finally {
    clearTimeout(timer);
  }
};

export class DeadlineError extends Error {
  override name = 'DeadlineError';
}

export const createLifecycle = (log: Log, fail: (error: unknown) => void): Lifecycle => {
  const releases: { name: string; release: Release; deadline: number }[] = [];
  const ending = new AbortController();
  let promise: Promise<void> | undefined;

  const releaseAll = async (): Promise<void> => {
    ending.abort(new Error('shutting down'));
    for (const { name, release, deadline } of releases.reverse()) {
      try {
        await withDeadline(release(), deadline, `closing ${name}`);
        log.debug({ resource: name }, 'closed');
      } catch (err) {
        log.warn({ err, resource: name }, 'could not close in time');
      }
    }
  };

  return {
    onShutdown: (name, release, deadline = 5_000) => releases.push({ name, release, deadline }),
    shutdown: () => (promise ??= releaseAll()),
    signal: ending.signal,
    fail,
  };
};

/**
 * Runs a service's composition root: configuration faults end the process with status 1 and one readable
 * text; signals, a lost supervisor and unexpected errors end it in order.
 */
export const runService = async (
  log: Log,
  compose: (lifecycle: Lifecycle) => Promise<void>,
): Promise<void> => {
  const fail = (err: unknown): void => {
    log.fatal({ err }, err instanceof Error ? redactText(err.message) : 'failed');
    void end(1);
  };
  const lifecycle = createLifecycle(log, fail);
  const end = async (status: number) => {
    await lifecycle.shutdown();
    process.exit(status);
  };
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.on(signal, () => {
      log.info({ signal }, 'shutting down');
      void end(0);
    });
  }
  // The supervisor holds an IPC channel open; without it nobody would ever stop this process.
  process.on('disconnect', () => {
    log.warn('the supervisor is gone; shutting down');
    void end(0);
  });
  process.on('uncaughtException', fail);
  process.on('unhandledRejection', fail);
  try {
    await compose(lifecycle);
    log.info('ready');
  } catch (err) {
    fail(err);
  }
};

/** Prints configuration faults as they are, for a person, and ends the process with status 1. */
export const envOrExit = <T>(read: () => T): T => {
  try {
    return read();
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  }
};
