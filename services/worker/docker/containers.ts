import type { ContainerInspectInfo } from 'dockerode';
import { OperationError, RetryableError } from '../../../queues/errors.ts';
import { type ContainerWish, containerOptions } from './container-options.ts';
import { type CallOptions, type Engine, isRefusal, isUnreachable } from './engine.ts';
import { isVms, resourceName } from './ownership.ts';

/** A VM's container, as far as the processors look. */
export type Container = {
  id: string;
  /** Docker's word: created, running, paused, restarting, removing, exited, dead. */
  status: string;
  running: boolean;
  startedAt: string;
  /** Both of its last end; meaningless while it runs. */
  finishedAt: string;
  exitCode: number;
  /** The kernel ended one of its processes for want of memory, in the present life or the one that ended last. */
  outOfMemory: boolean;
  /** The host port its port 22 is bound to, whether it runs or not. */
  sshPort: number;
  memoryBytes: number;
};

type Vm = { instance: string; vmId: string };

const createDeadline = 30_000;
const startDeadline = 30_000;
const removeDeadline = 30_000;
/** Seconds that the VM's processes have to end by themselves. */
const stopGrace = 10;
const stopDeadline = (stopGrace + 15) * 1000;

const read = ({ Id, State, HostConfig }: ContainerInspectInfo): Container => ({
  id: Id,
  status: State.Status,
  running: State.Running && !State.Restarting,
  startedAt: State.StartedAt,
  finishedAt: State.FinishedAt,
  exitCode: State.ExitCode,
  outOfMemory: State.OOMKilled,
  sshPort: Number(HostConfig.PortBindings?.['22/tcp']?.[0]?.HostPort ?? 0),
  memoryBytes: HostConfig.Memory ?? 0,
});

const inspect = async (engine: Engine, nameOrId: string, options: CallOptions) => {
  try {
    return await engine.call(
      'inspecting the container',
      (docker, abortSignal) => docker.getContainer(nameOrId).inspect({ abortSignal }),
      options,
    );
  } catch (error) {
    if (isRefusal(error, 404)) return undefined;
    throw error;
  }
};

/** The container of that name: ours, `foreign` when it bears another's labels, or undefined. */
export const lookUpContainer = async (
  engine: Engine,
  { instance, vmId }: Vm,
  options: CallOptions = {},
): Promise<Container | 'foreign' | undefined> => {
  const found = await inspect(engine, resourceName(instance, vmId), options);
  if (found === undefined) return undefined;
  return isVms(found.Config.Labels, instance, vmId) ? read(found) : 'foreign';
};

/** The VM's container. Throws OperationError `container-vanished`, or `name-taken` when it is not ours. */
export const requireContainer = async (engine: Engine, vm: Vm, options: CallOptions): Promise<Container> => {
  const found = await lookUpContainer(engine, vm, options);
  if (found === undefined) throw new OperationError('container-vanished', '');
  if (found === 'foreign') throw new OperationError('name-taken', resourceName(vm.instance, vm.vmId));
  return found;
};

export const lookAgain = async (
  engine: Engine,
  id: string,
  options: CallOptions = {},
): Promise<Container | undefined> => {
  const found = await inspect(engine, id, options);
  return found && read(found);
};

/**
 * Makes the container and returns its id, or undefined when one of that name is there already. Its outcome is
 * waited for even when the job is called off: what was made must be known to be removed.
 */
export const createContainer = async (engine: Engine, wish: ContainerWish): Promise<string | undefined> => {
  try {
    const made = await engine.call(
      'creating the container',
      (docker, abortSignal) => docker.createContainer({ ...containerOptions(wish), abortSignal }),
      { deadline: createDeadline },
    );
    return made.id;
  } catch (error) {
    if (isRefusal(error, 409)) return undefined;
    throw error;
  }
};

/** Starts it; one that runs is done. Docker may say 500 about a container that has started: it is asked again. */
export const startContainer = async (engine: Engine, id: string, options: CallOptions) => {
  try {
    await engine.call(
      'starting the container',
      (docker, abortSignal) => docker.getContainer(id).start({ abortSignal }),
      { ...options, deadline: startDeadline },
    );
  } catch (error) {
    if (isRefusal(error, 304)) return;
    if (isRefusal(error, 404)) throw new OperationError('container-vanished', '');
    if (!isRefusal(error) && !isUnreachable(error)) throw error;
    const now = await lookAgain(engine, id, options);
    if (!now?.running) throw error;
  }
};

/** Stops it with ten seconds of grace; one that does not run is done. */
export const stopContainer = async (engine: Engine, id: string, options: CallOptions) => {
  try {
    await engine.call(
      'stopping the container',
      (docker, abortSignal) => docker.getContainer(id).stop({ t: stopGrace, abortSignal }),
      { ...options, deadline: stopDeadline },
    );
  } catch (error) {
    if (isRefusal(error, 304)) return;
    if (isRefusal(error, 404)) throw new OperationError('container-vanished', '');
    if (!isRefusal(error) && !isUnreachable(error)) throw error;
    const now = await lookAgain(engine, id, options);
    if (now === undefined || now.running || now.status === 'restarting') throw error;
  }
};

/** Ends it at once, whatever its first process would rather do; one that does not run is done. */
export const killContainer = async (engine: Engine, id: string): Promise<void> => {
  const options = { deadline: stopDeadline };
  try {
    await engine.call('killing the container', (docker) => docker.getContainer(id).kill(), options);
  } catch (error) {
    if (!isRefusal(error, 404, 409)) throw error;
  }
  const ended = () =>
    engine.call(
      'waiting for the end of the container',
      (docker, abortSignal) => docker.getContainer(id).wait({ condition: 'not-running', abortSignal }),
      options,
    );
  await ended().catch((error: unknown) => {
    if (!isRefusal(error, 404)) throw error;
  });
};

/** Kills and removes it; one that is gone is done, one that Docker is removing is waited for. */
export const removeContainer = async (engine: Engine, id: string, options: CallOptions = {}) => {
  try {
    await engine.call(
      'removing the container',
      (docker, abortSignal) => docker.getContainer(id).remove({ force: true, abortSignal }),
      { ...options, deadline: removeDeadline },
    );
  } catch (error) {
    if (isRefusal(error, 404)) return;
    if (!isRefusal(error, 409)) throw error;
    await engine
      .call(
        'waiting for the removal',
        (docker, abortSignal) => docker.getContainer(id).wait({ condition: 'removed', abortSignal }),
        { ...options, deadline: removeDeadline },
      )
      .catch((failure: unknown) => {
        if (!isRefusal(failure, 404)) throw failure;
      });
  }
  if ((await inspect(engine, id, options)) !== undefined) {
    throw new RetryableError('docker-refused', 'the container is still there after its removal');
  }
};
