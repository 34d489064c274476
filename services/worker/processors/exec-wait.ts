import { setTimeout as sleep } from 'node:timers/promises';
import { CancelledError } from '../../../queues/errors.ts';
import type { Engine } from '../docker/engine.ts';
import { type Attachment, inspectExec } from '../docker/exec.ts';

/** `ended`: the command is over; `overdue`: it should have been; `aborted`: the job's signal says to stop. */
export type ExecEnd = 'ended' | 'overdue' | 'aborted';

type Wait = {
  /** Milliseconds the command may take in all. */
  deadline: number;
  /** Milliseconds it still gets when the worker shuts down; a cancellation stops it at once. */
  lastCall: number;
  signal: AbortSignal;
};

const firstLook = 500;
const longestPause = 2_000;

/**
 * The end of the stream is the end of the command, except when the stream is cut off unnoticed or some child
 * holds on to it: now and then Docker is asked as well.
 */
const untilDockerSaysSo = async (engine: Engine, execId: string, done: AbortSignal): Promise<void> => {
  for (let pause = firstLook; ; pause = Math.min(pause * 2, longestPause)) {
    await sleep(pause, undefined, { signal: done });
    // An engine that does not answer now is asked again; the deadline holds all the same.
    const state = await inspectExec(engine, execId, {}).catch(() => null);
    if (state !== null && !state?.Running) return;
  }
};

const aborted = async ({ signal, lastCall }: Wait, done: AbortSignal): Promise<void> => {
  if (!signal.aborted) {
    await new Promise<void>((resolve) =>
      signal.addEventListener('abort', () => resolve(), { once: true, signal: done }),
    );
  }
  if (!(signal.reason instanceof CancelledError)) await sleep(lastCall, undefined, { signal: done });
};

export const waitForExecEnd = async (
  engine: Engine,
  attachment: Attachment,
  wait: Wait,
): Promise<ExecEnd> => {
  const over = new AbortController();
  const done = over.signal;
  const as = (promise: Promise<unknown>, end: ExecEnd): Promise<ExecEnd> =>
    promise.then(
      () => end,
      (error) => {
        if (done.aborted) return end;
        throw error;
      },
    );
  try {
    return await Promise.race([
      as(attachment.ended, 'ended'),
      as(untilDockerSaysSo(engine, attachment.execId, done), 'ended'),
      as(aborted(wait, done), 'aborted'),
      as(sleep(wait.deadline, undefined, { signal: done }), 'overdue'),
    ]);
  } finally {
    over.abort();
  }
};
