import { setTimeout as sleep } from 'node:timers/promises';
import type { exec, Payload, Result } from '../../../queues/catalog.ts';
import type { Context, Processor } from '../../../queues/consumer.ts';
import { OperationError, RetryableError } from '../../../queues/errors.ts';
import { type Container, lookAgain, requireContainer } from '../docker/containers.ts';
import { exitCodeOf, startExec } from '../docker/exec.ts';
import type { VmHost } from '../vm-host.ts';
import { endExec } from './exec-end.ts';
import { createExecOutput, type ExecOutput, keptBytes } from './exec-output.ts';
import { settled, waitForExecEnd } from './exec-wait.ts';
import { withMeaning } from './meaning.ts';
import { killed, mayHaveDied, mayNotHaveBegun, ranBefore, runOnce } from './run-once.ts';

/**
 * Runs one command in a VM, at most once: `run-once` leaves a mark in the VM before it starts the command, and
 * refuses when it finds one. A second attempt is therefore safe, and only learns that the outcome is lost.
 */

type Exec = Payload<typeof exec>;

const progressEvery = 1_000;
/** A command that ends sooner needs no message in between. */
const progressAfter = 500;

const takeCommand = async ({ operationId }: Exec, context: Context): Promise<string> => {
  const command = await context.takePrivate(`exec:${operationId}`);
  if (command === null) throw new RetryableError('outcome-unknown', 'the command is not at hand any more');
  return command.toString();
};

/** Shows that it runs, and the output as it grows: once a second at most, the last of it always. */
const createDisplay = (output: ExecOutput, context: Context) => {
  let shownAt = performance.now() - progressEvery + progressAfter;
  const show = () => {
    timer = undefined;
    shownAt = performance.now();
    void context.progress('running', { output: output.tail() });
  };
  let timer: NodeJS.Timeout | undefined = setTimeout(show, progressAfter);
  return {
    changed: () => {
      timer ??= setTimeout(show, Math.max(0, shownAt + progressEvery - performance.now()));
    },
    close: () => clearTimeout(timer),
  };
};

/** Milliseconds within which Docker notices that the container has stopped, once its processes are killed. */
const noticing = [0, 20, 80, 300];

/**
 * Throws OperationError `vm-not-running` when the VM that the command ran in has stopped, even if it was started
 * again since: then its end killed the command.
 */
const requireSameRun = async ({ engine }: VmHost, before: Container): Promise<void> => {
  for (const pause of noticing) {
    await sleep(pause);
    const now = await lookAgain(engine, before.id);
    if (!now?.running || now.startedAt !== before.startedAt) throw new OperationError('vm-not-running', '');
  }
};

const follow = async (
  host: VmHost,
  container: Container,
  payload: Exec,
  command: string,
  context: Context,
): Promise<Result<typeof exec>> => {
  const { operationId, timeoutSeconds } = payload;
  const output = createExecOutput();
  const display = createDisplay(output, context);
  const begun = performance.now();
  const attachment = await startExec(
    host.engine,
    container.id,
    { argv: runOnce({ operationId, timeoutSeconds, command }) },
    (piece) => {
      output.add(piece);
      display.changed();
    },
    {}, // seen through even when the job is called off: what has started must be ended
  );
  try {
    const { id: containerId, startedAt } = container;
    const target = { containerId, startedAt, execId: attachment.execId, operationId };
    const deadline = timeoutSeconds * 1000;
    const how = await waitForExecEnd(host.engine, attachment, { deadline, signal: context.signal });
    // A worker that shuts down, or has lost the job, lets go: the command goes on, its outcome stays unknown.
    if (how === 'let-go') throw context.signal.reason;
    if (how !== 'ended')
      await endExec(host.engine, target, { log: context.log, checkFence: context.checkEpoch });
    const durationMs = Math.round(performance.now() - begun);
    await settled(attachment);
    // Whatever its end: what it has printed is its owner's to read.
    const keepOutput = () => context.putPrivate(`exec-output:${operationId}`, output.kept());
    if (how === 'cancelled') {
      await keepOutput();
      throw context.signal.reason;
    }
    const exitCode = await exitCodeOf(host.engine, attachment.execId, {});
    const timedOut = how === 'overdue';
    if (mayHaveDied(exitCode, output) && !timedOut) {
      await requireSameRun(host, container).catch(async (error) => {
        if (!mayNotHaveBegun(output)) await keepOutput();
        throw error;
      });
    }
    if (ranBefore(exitCode, output) || (exitCode === null && !timedOut)) {
      throw new OperationError('outcome-unknown', '');
    }
    await keepOutput();
    context.log.info({ exitCode, durationMs, outputBytes: output.total(), timedOut }, 'command ended');
    return {
      exitCode: exitCode ?? killed,
      durationMs,
      outputBytes: output.total(),
      truncated: output.total() > keptBytes,
      timedOut,
    };
  } finally {
    display.close();
    attachment.stream.destroy();
  }
};

export const execProcessor =
  (host: VmHost): Processor<typeof exec> =>
  (payload, context) =>
    withMeaning(context, async () => {
      const { engine, instance } = host;
      const [container, command] = await Promise.all([
        requireContainer(engine, { instance, vmId: payload.vmId }, context),
        takeCommand(payload, context),
        context.checkFence(),
      ]);
      if (!container.running) throw new OperationError('vm-not-running', '');
      context.log.info({ containerId: container.id }, 'running a command');
      return follow(host, container, payload, command, context);
    });
