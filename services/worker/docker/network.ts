import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { OperationError } from '../../../queues/errors.ts';
import { type CallOptions, DockerRefusal, type Engine } from './engine.ts';
import { isInstances } from './ownership.ts';

/**
 * All VMs of an instance share one bridge, because Docker's address pools give about 31 networks in all. The
 * bridge lets no traffic pass between its containers.
 */

const find = async (engine: Engine, name: string, options: CallOptions): Promise<string | undefined> => {
  const networks = await engine.call(
    'listing networks',
    (docker, abortSignal) => docker.listNetworks({ filters: { name: [name] }, abortSignal }),
    options,
  );
  // The filter also finds networks whose names contain the one looked for.
  const found = networks.find((network) => network.Name === name);
  if (found === undefined) return undefined;
  if (!isInstances(found.Labels, name)) throw new OperationError('name-taken', `network ${name}`);
  return found.Id;
};

/** A Linux interface name has 15 characters at most. */
const interfaceName = (instance: string): string =>
  `br-${createHash('sha256').update(instance).digest('hex').slice(0, 12)}`;

/**
 * Docker lets two networks have one name, and then starts no container in either; its check against that is not
 * atomic. That two bridges cannot have the same interface is: so of several workers that make the network at
 * the same time one succeeds. Gives Docker's refusal, or undefined.
 */
const make = async (engine: Engine, name: string): Promise<DockerRefusal | undefined> => {
  try {
    await engine.call('creating the network', (docker) =>
      docker.createNetwork({
        Name: name,
        Driver: 'bridge',
        CheckDuplicate: true,
        Labels: { 'berth.instance': name },
        Options: {
          'com.docker.network.bridge.name': interfaceName(name),
          'com.docker.network.bridge.enable_icc': 'false',
        },
      }),
    );
    return undefined;
  } catch (error) {
    if (error instanceof DockerRefusal) return error;
    throw error;
  }
};

/** Time in which another worker's network comes to be seen after ours was refused, in pauses (milliseconds). */
const pauses = [0, 20, 40, 80, 160, 320, 640, 1_280];

/**
 * The id of the instance's network, which is made where it is missing.
 * Throws OperationError `name-taken` when a network of that name is not ours.
 */
export const ensureNetwork = async (engine: Engine, name: string, options: CallOptions): Promise<string> => {
  const known = await find(engine, name, options);
  if (known !== undefined) return known;
  const refusal = await make(engine, name);
  for (const pause of pauses) {
    await sleep(pause);
    const found = await find(engine, name, options);
    if (found !== undefined) return found;
  }
  throw refusal ?? new OperationError('docker-refused', `network ${name} did not come into being`);
};
