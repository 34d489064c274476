import { setTimeout as sleep } from 'node:timers/promises';
import type { createVm, Payload, Result } from '../../../queues/catalog.ts';
import type { Context, Processor } from '../../../queues/consumer.ts';
import { OperationError, RetryableError, SupersededError } from '../../../queues/errors.ts';
import { hasFewerCpus } from '../docker/container-options.ts';
import { createContainer, lookUpContainer, removeContainer } from '../docker/containers.ts';
import { isUnreachable } from '../docker/engine.ts';
import type { GpuWay } from '../docker/gpu-requests.ts';
import { ensureNetwork } from '../docker/network.ts';
import { resourceName } from '../docker/ownership.ts';
import { ensureVolume, removeVolume } from '../docker/volumes.ts';
import type { VmHost } from '../vm-host.ts';
import { isFinal, meaningOf } from './meaning.ts';
import { readFingerprint, startForOwner } from './owner-access.ts';
import { ensureVmImage } from './vm-image.ts';

/**
 * Brings a VM into being: image, network, volume, container, start, access, SSH. Every step looks first and
 * takes what is there already, so the job may run again from any point, or twice at once.
 */

/** `gpuWay`: how the host gives its GPUs, where the VM is to have them. */
type Create = Payload<typeof createVm> & { gpuWay?: GpuWay };

/** Throws OperationError `gpu-unavailable` where the host gives no GPUs. */
const requireGpu = async (host: VmHost): Promise<GpuWay> => {
  const { way, problem } = await host.gpu();
  if (way === null) throw new OperationError('gpu-unavailable', problem ?? '');
  return way;
};

/** Looks and tries: with their growing pauses about five seconds, longer than Docker takes to make a container. */
const rounds = 10;

/** Within this time Docker has done what it was still asked for when somebody gave up waiting. Milliseconds. */
const lateAnswer = 1_500;

/** Removes what this run has just made where a newer operation has gone into the VM's life, and throws then. */
const undoIfSuperseded = async (context: Context, undo: () => Promise<unknown>): Promise<void> => {
  try {
    await context.checkEpoch();
  } catch (error) {
    if (error instanceof SupersededError) {
      context.log.info('a newer operation of the VM came first; removing what was just made');
      await undo();
    }
    throw error;
  }
};

/**
 * Makes something, and takes it away again where a newer operation came first. Whatever came of the making: Docker may
 * have done what it did not answer; and a worker that slept has lost the job as well, but nobody else knows what it made.
 */
const makeInTime = async <T>(
  context: Context,
  act: () => Promise<T>,
  undo: () => Promise<unknown>,
): Promise<T> => {
  const made = await act().catch(async (error: unknown) => {
    await undoIfSuperseded(context, async () => {
      await undo();
      if (!isUnreachable(error)) return;
      // It may be doing so at this very moment.
      await sleep(lateAnswer);
      await undo();
    });
    throw error;
  });
  await undoIfSuperseded(context, undo);
  context.signal.throwIfAborted();
  return made;
};

/** A worker that slept through the whole creation must not take away a container that another one has started. */
const removeIfNeverStarted = async ({ engine }: VmHost, vm: { instance: string; vmId: string }) => {
  const container = await lookUpContainer(engine, vm);
  if (container === undefined || container === 'foreign' || container.status !== 'created') return;
  await removeContainer(engine, container.id);
};

const removeVolumeIfUnused = (host: VmHost, vm: { instance: string; vmId: string }, { log }: Context) =>
  removeVolume(host.engine, vm).catch((err: unknown) => log.info({ err }, 'the volume stays'));

const make = async (host: VmHost, payload: Create, context: Context): Promise<string | undefined> => {
  const { engine, instance } = host;
  const { log, signal } = context;
  const vm = { instance, vmId: payload.vmId };
  const networkId = await ensureNetwork(engine, instance, { signal });
  const hostCpus = await host.cpus();
  const diskQuota = await host.hasDiskQuota({ signal });
  await context.checkFence();
  const removeVolumeAgain = () => removeVolumeIfUnused(host, vm, context);
  await makeInTime(
    context,
    () => ensureVolume(engine, { ...vm, owner: payload.owner }, { signal }),
    removeVolumeAgain,
  );
  const wish = {
    ...payload,
    instance,
    networkId,
    hostCpus,
    diskQuota,
    image: host.vmImage,
    runtime: host.vmRuntime,
    bindAddress: host.sshBindAddress,
  };
  if (hasFewerCpus(wish)) {
    log.warn(
      { cpus: payload.limits.cpus, hostCpus },
      'the host has fewer CPUs than the plan gives; using its',
    );
  }
  const containerId = await makeInTime(
    context,
    () => createContainer(engine, wish),
    async () => {
      await removeIfNeverStarted(host, vm);
      await removeVolumeAgain();
    },
  );
  if (containerId === undefined) return undefined;
  log.info({ containerId }, 'container created');
  return containerId;
};

/** The id of the VM's container, made or found. */
const findOrMake = async (host: VmHost, payload: Create, context: Context): Promise<string> => {
  const { engine, instance } = host;
  for (let round = 1; round <= rounds; round++) {
    const found = await lookUpContainer(engine, { instance, vmId: payload.vmId }, context);
    if (found === 'foreign') throw new OperationError('name-taken', resourceName(instance, payload.vmId));
    if (found === undefined) {
      const made = await make(host, payload, context);
      if (made !== undefined) return made;
      // Somebody else is making it: Docker gives a container's name away before it shows the container.
      await sleep(Math.min(20 * 2 ** round, 1_000), undefined, { signal: context.signal });
      continue;
    }
    const usable = found.sshPort === payload.sshPort && !['removing', 'dead'].includes(found.status);
    if (usable) {
      context.log.info(
        { containerId: found.id, status: found.status },
        'found the container of an earlier run',
      );
      return found.id;
    }
    await context.checkFence();
    context.log.info({ containerId: found.id, status: found.status }, 'removing an unusable container');
    await removeContainer(engine, found.id, context);
  }
  throw new RetryableError('docker-refused', 'the container comes and goes');
};

const bringUp = async (host: VmHost, payload: Create, context: Context): Promise<Result<typeof createVm>> => {
  await context.progress('container');
  const order = payload.limits.gpu ? { ...payload, gpuWay: await requireGpu(host) } : payload;
  const containerId = await findOrMake(host, order, context);
  const early = await startForOwner(host, { ...payload, containerId }, context);
  return { containerId, hostKeyFingerprint: early ?? (await readFingerprint(host, containerId, context)) };
};

/** A creation that failed for good leaves nothing behind. */
const takeDown = async ({ engine, instance }: VmHost, { vmId }: Create, { log }: Context): Promise<void> => {
  try {
    const found = await lookUpContainer(engine, { instance, vmId });
    if (found !== undefined && found !== 'foreign') await removeContainer(engine, found.id);
    await removeVolume(engine, { instance, vmId });
    log.info('removed what the failed creation had made');
  } catch (err) {
    log.error({ err }, 'could not remove what the failed creation had made');
  }
};

export const createVmProcessor =
  (host: VmHost): Processor<typeof createVm> =>
  async (payload, context) => {
    await ensureVmImage(host, payload, context);
    try {
      return await bringUp(host, payload, context);
    } catch (error) {
      const meaning = await meaningOf(error, context);
      if (isFinal(meaning, context)) await takeDown(host, payload, context);
      throw meaning;
    }
  };
