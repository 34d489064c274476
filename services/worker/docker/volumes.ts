import { OperationError, RetryableError } from '../../../queues/errors.ts';
import { type CallOptions, type Engine, isRefusal } from './engine.ts';
import { isVms, labelsOf, resourceName } from './ownership.ts';

/** A VM's home: a volume that outlives the container's stops and dies with the VM. */

/** Milliseconds: a home of many small files takes the file system a while. */
const removeDeadline = 60_000;

type Vm = { instance: string; vmId: string };

const lookUp = async (engine: Engine, { instance, vmId }: Vm, options: CallOptions) => {
  try {
    const found = await engine.call(
      'inspecting the volume',
      (docker, abortSignal) => docker.getVolume(resourceName(instance, vmId)).inspect({ abortSignal }),
      options,
    );
    return isVms(found.Labels, instance, vmId) ? ('ours' as const) : ('foreign' as const);
  } catch (error) {
    if (isRefusal(error, 404)) return 'absent' as const;
    throw error;
  }
};

/**
 * Makes the volume or takes the one that is there: Docker answers the same in both cases, so it is looked at
 * afterwards. Throws OperationError `name-taken` when it is not ours. The making is waited for even when the job
 * is called off: what was made must be known to be removed.
 */
export const ensureVolume = async (
  engine: Engine,
  vm: Vm & { owner: number },
  options: CallOptions,
): Promise<void> => {
  const { instance, vmId, owner } = vm;
  const name = resourceName(instance, vmId);
  await engine.call('creating the volume', (docker) =>
    docker.createVolume({ Name: name, Labels: labelsOf(instance, vmId, owner) }),
  );
  if ((await lookUp(engine, vm, options)) !== 'ours')
    throw new OperationError('name-taken', `volume ${name}`);
};

/** Removes the volume where it is there and ours; one that a container uses stays, with RetryableError. */
export const removeVolume = async (engine: Engine, vm: Vm, options: CallOptions = {}): Promise<void> => {
  if ((await lookUp(engine, vm, options)) !== 'ours') return;
  try {
    await engine.call(
      'removing the volume',
      (docker, abortSignal) => docker.getVolume(resourceName(vm.instance, vm.vmId)).remove({ abortSignal }),
      { ...options, deadline: removeDeadline },
    );
  } catch (error) {
    if (isRefusal(error, 409)) throw new RetryableError('docker-refused', 'the volume is still in use');
    if (!isRefusal(error, 404)) throw error;
  }
  if ((await lookUp(engine, vm, options)) === 'ours') {
    throw new RetryableError('docker-refused', 'the volume is still there after its removal');
  }
};
