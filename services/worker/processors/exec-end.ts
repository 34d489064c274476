import type { Log } from '../../../shared/log.ts';
import { isRefusal } from '../docker/engine.ts';
import { runInContainer } from '../docker/exec.ts';
import { withSparePids } from '../docker/pids.ts';
import type { VmHost } from '../vm-host.ts';
import { endExecArgv } from './run-once.ts';

const deadline = 10_000;

/**
 * Ends a command and all it started. A fork bomb leaves no room for the program that does so: then the VM gets
 * room for a moment. Where even that does not help, the VM is restarted: its owner could not use it any more.
 */
export const endExec = async (
  { engine }: VmHost,
  containerId: string,
  operationId: string,
  log: Log,
): Promise<void> => {
  const end = async (): Promise<boolean> => {
    try {
      const command = { argv: endExecArgv(operationId) };
      return (await runInContainer(engine, containerId, command, { deadline })).exitCode === 0;
    } catch (err) {
      log.info({ err }, 'the command could not be ended');
      return isRefusal(err, 404, 409); // the container is gone or stopped, and the command with it
    }
  };
  if (await end()) return;
  if (await withSparePids(engine, containerId, {}, end)) return;
  log.warn('the command does not end; restarting the VM');
  await engine.call(
    'restarting the container',
    (docker) => docker.getContainer(containerId).restart({ t: 0 }),
    {
      deadline: 30_000,
    },
  );
};
