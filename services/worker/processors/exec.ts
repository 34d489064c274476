import type { exec, Payload, Result } from '../../../queues/catalog.ts';
import type { Context, Processor } from '../../../queues/consumer.ts';
import { CancelledError, OperationError, RetryableError } from '../../../queues/errors.ts';
import { type Container, lookAgain, requireContainer } from '../docker/containers.ts';
import { exitCodeOf, startExec } from '../docker/exec.ts';
import type { VmHost } from '../vm-host.ts';
import { endExec } from './exec-end.ts';
import { createExecOutput, type ExecOutput, keptBytes } from './exec-output.ts';
import { waitForExecEnd } from './exec-wait.ts';
import { withMeaning } from './meaning.ts';
import { ranBefore, runOnce } from './run-once.ts';

/**
 * Runs one command in a VM, at most once: `run-once` leaves a mark in the VM before it starts the command, and
 * refuses when it finds one. A second attempt is therefore safe, and only learns that the outcome is lost.
 */

type Exec = Payload<typeof exec>;

/** Milliseconds beyond the command's own limit, within which `run-once` must have ended it. */
const overtime = 5_000;
/** What a worker that shuts down still grants a command, so that a short one ends with its outcome known. */
const lastCall = 5_000;
const progressEvery = 1_000;

const takeCommand = async ({ operationId }: Exec, context: Context): Promise<string> => {
  const command = await context.takePrivate(`exec:${operationId}`);
  if (command === null) throw new RetryableError('outcome-unknown', 'the command is not at hand any more');
  return command.toString();
};

/** Shows the output as it grows, once a second at most, the last of it always. */
const createDisplay = (output: ExecOutput, context: Context) => {
  let timer: NodeJS.Timeout | undefined;
  let shownAt = 0;
  const show = () => {
    timer = undefined;
    shownAt = performance.now();
    void context.progress('running', { output: output.tail() });
  };
  return {
    changed: () => {
      timer ??= setTimeout(show, Math.max(0, shownAt + progressEvery - performance.now()));
    },
    close: () => clearTimeout(timer),
  };
};

/** Whether the VM that the command ran in is the one that runs now: not stopped, nor stopped and started. */
const requireSameRun = async ({ engine }: VmHost, before: Container): Promise<void> => {
  const now = await lookAgain(engine, before.id);
  if (now?.running && now.startedAt === before.startedAt) return;
  throw new OperationError('vm-not-running', '');
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
    context,
  );
  try {
    const deadline = timeoutSeconds * 1000 + overtime;
    const how = await waitForExecEnd(host.engine, attachment, { deadline, lastCall, signal: context.signal });
    if (how !== 'ended') await endExec(host, container.id, operationId, context.log);
    if (how === 'aborted') throw context.signal.reason;
    const exitCode = how === 'overdue' ? null : await exitCodeOf(host.engine, attachment.execId, {});
    const durationMs = Math.round(performance.now() - begun);
    if (exitCode !== 0) await requireSameRun(host, container);
    if (ranBefore(exitCode, output)) throw new OperationError('outcome-unknown', '');
    const timedOut = how === 'overdue' || (exitCode !== 0 && durationMs >= timeoutSeconds * 1000);
    if (exitCode === null && !timedOut) throw new OperationError('outcome-unknown', '');
    await context.putPrivate(`exec-output:${operationId}`, output.kept());
    context.log.info({ exitCode, durationMs, outputBytes: output.total(), timedOut }, 'command ended');
    return {
      exitCode: exitCode ?? 137,
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
      try {
        return await follow(host, container, payload, command, context);
      } catch (error) {
        if (error instanceof CancelledError) context.log.info('command cancelled');
        throw error;
      }
    });
