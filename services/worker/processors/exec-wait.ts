import { setTimeout as sleep } from 'node:timers/promises';
import type { Engine } from '../docker/engine.ts';
import { type Attachment, inspectExec } from '../docker/exec.ts';
import { isCancelled } from './meaning.ts';

/** What came first: the command's end, its time limit, a cancellation, or that this worker must let go of the job. */
export type ExecEnd = 'ended' | 'overdue' | 'cancelled' | 'let-go';

/** `deadline`: milliseconds the command may take in all. */
type Wait = { deadline: number; signal: AbortSignal };

const firstLook = 100;
const longestPause = 1_000;
/** Output that was under way when the command ended comes within this time. */
const drainTime = 100;

/**
 * The end of the stream is the command's end; but a child that keeps the output open holds it up for as long
 * as it likes, and Docker announces the end (`exec_die`) two seconds late then. Asked, it knows at once.
 */
const untilDockerSaysSo = async (engine: Engine, execId: string, done: AbortSignal): Promise<void> => {
  for (let pause = firstLook; ; pause = Math.min(pause * 1.5, longestPause)) {
    await sleep(pause, undefined, { signal: done });
    // An engine that does not answer now is asked again; the deadline holds all the same.
    const state = await inspectExec(engine, execId, {}).catch(() => null);
    if (state !== null && !state?.Running) return;
  }
};

const untilAborted = async (signal: AbortSignal, done: AbortSignal): Promise<ExecEnd> => {
  if (!signal.aborted) {
    await new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => resolve(), { once: true, signal: done });
    });
  }
  return isCancelled(signal) ? 'cancelled' : 'let-go';
};

/** Waits for the first of the four. */
export const waitForExecEnd = async (
  engine: Engine,
  attachment: Attachment,
  wait: Wait,
): Promise<ExecEnd> => {
  const over = new AbortController();
  const done = over.signal;
  const ends: Promise<ExecEnd>[] = [
    attachment.ended.then(() => 'ended'),
    untilDockerSaysSo(engine, attachment.execId, done).then(() => 'ended'),
    untilAborted(wait.signal, done),
    sleep(wait.deadline, undefined, { signal: done }).then(() => 'overdue'),
  ];
  try {
    return await Promise.race(ends);
  } finally {
    over.abort(); // ends the others, whose rejections the race has taken care of
  }
};

/** After the command's end: until its last output is here. */
export const settled = async ({ ended }: Attachment): Promise<void> => {
  await Promise.race([ended, sleep(drainTime)]);
};
