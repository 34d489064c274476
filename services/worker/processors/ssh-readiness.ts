import { setTimeout as sleep } from 'node:timers/promises';
import type { Context } from '../../../queues/consumer.ts';
import { OperationError, RetryableError } from '../../../queues/errors.ts';
import { lookAgain } from '../docker/containers.ts';
import { isRefusal } from '../docker/engine.ts';
import { runInContainer } from '../docker/exec.ts';
import type { VmHost } from '../vm-host.ts';
import { knockFor } from './ssh-knock.ts';

/** A VM is there for its owner when its SSH server answers; a busy host may take this long (milliseconds). */
const readyDeadline = 60_000;

/** Seconds of one round of knocks, so that the container is looked at now and then, and nothing long is left behind. */
const round = 5;
/** Milliseconds: a read of the last knock may come on top, and Docker takes its time on a busy host. */
const roundDeadline = round * 1_000 + 15_000;
const pause = 250;

type Started = { containerId: string };

const answersSoon = async ({ engine }: VmHost, { containerId }: Started, signal: AbortSignal) => {
  try {
    const options = { signal, deadline: roundDeadline };
    return (await runInContainer(engine, containerId, knockFor(round), options)).exitCode === 0;
  } catch (error) {
    // It has ended, or restarts: its state says more than Docker's refusal.
    if (isRefusal(error, 404, 409, 500)) return false;
    throw error;
  }
};

const mustStillRun = async ({ engine }: VmHost, { containerId }: Started, signal: AbortSignal) => {
  const container = await lookAgain(engine, containerId, { signal });
  if (container === undefined) throw new OperationError('container-vanished', '');
  if (container.running || container.status === 'restarting') return;
  throw new RetryableError('ssh-not-ready', `its first process ended with status ${container.exitCode}`);
};

/** Waits for the banner. Throws RetryableError `ssh-not-ready`, OperationError `container-vanished`. */
export const waitUntilSshAnswers = async (
  host: VmHost,
  started: Started,
  { signal }: Pick<Context, 'signal'>,
): Promise<void> => {
  const end = performance.now() + readyDeadline;
  while (performance.now() < end) {
    if (await answersSoon(host, started, signal)) return;
    await mustStillRun(host, started, signal);
    // A round that comes back at once, as in a VM without a shell, is not repeated a thousand times.
    await sleep(pause, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
  throw new RetryableError('ssh-not-ready', '');
};
