import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../../../shared/log.ts';
import { killContainer, lookAgain, startContainer } from '../docker/containers.ts';
import { type Engine, isRefusal } from '../docker/engine.ts';
import { inspectExec, runInContainer } from '../docker/exec.ts';
import { withSparePids } from '../docker/pids.ts';
import { endExecArgv } from './run-once.ts';

/** Milliseconds for one run of `end-exec`, which has to find its way through a fork bomb. */
const deadline = 5_000;
const attempts = 6;

type Target = {
  containerId: string;
  /** Of the run of the VM that the command was started in. */
  startedAt: string;
  execId: string;
  operationId: string;
};

/** A VM that is down, or has been started again since, has ended the command itself. */
const runsOn = async (engine: Engine, { containerId, startedAt }: Target): Promise<boolean> => {
  const now = await lookAgain(engine, containerId);
  return now?.running === true && now.startedAt === startedAt;
};

const isOver = async (engine: Engine, { execId }: Target): Promise<boolean> => {
  const state = await inspectExec(engine, execId, {});
  return !state?.Running;
};

/** Runs `end-exec` until Docker says that the command is over: the first may come before the command's mark. */
const tryToEnd = async (engine: Engine, target: Target, log: Log): Promise<boolean> => {
  for (let attempt = 1; attempt <= attempts; attempt++) {
    try {
      const command = { argv: endExecArgv(target.operationId) };
      const { exitCode } = await runInContainer(engine, target.containerId, command, { deadline });
      if (exitCode !== 0) return false;
    } catch (err) {
      log.info({ err }, 'could not end the command');
      return isRefusal(err, 404, 409); // the container is gone or stopped, and the command with it
    }
    if (await isOver(engine, target)) return true;
    await sleep(10 * 2 ** attempt);
  }
  return false;
};

/**
 * Ends a command and all it started. A fork bomb leaves no room for the program that does so: then the VM gets
 * room for a moment. Where even that does not help, the VM is restarted: its owner could not use it any more. A VM that
 * is stopped meanwhile stays so: a restart would start it, so a newer operation's word counts (`checkFence` throws then).
 */
export const endExec = async (
  engine: Engine,
  target: Target,
  { log, checkFence }: { log: Log; checkFence: () => Promise<void> },
): Promise<void> => {
  if (await tryToEnd(engine, target, log)) return;
  if (!(await runsOn(engine, target))) return;
  log.info('making room in the VM to end the command');
  const ended = await withSparePids(engine, target.containerId, {}, () => tryToEnd(engine, target, log));
  if (ended || !(await runsOn(engine, target))) return;
  await checkFence();
  log.warn('the command does not end; restarting the VM');
  await killContainer(engine, target.containerId);
  await checkFence();
  await startContainer(engine, target.containerId, {});
};
