import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { OperationError } from '../../../queues/errors.ts';
import { type CallOptions, DockerRefusal, type Engine } from './engine.ts';
import { isInstances } from './ownership.ts';

/**
 * All VMs of an instance share one bridge, because Docker's address pools give about 31 networks in all; and when that
 * one is full, another one. No bridge lets traffic pass between its containers. The firewall knows them all by the
 * beginning of their interfaces' names.
 */

/** A bridge holds 1,023; workers that look at the same time may all find the last free place. */
const containersPerNetwork = 960;
const mostNetworks = 60;

/** The id of the network of that name, or `foreign` when it is not the instance's. */
const find = async (
  engine: Engine,
  instance: string,
  name: string,
  options: CallOptions,
): Promise<string | undefined> => {
  const networks = await engine.call(
    'listing networks',
    (docker, abortSignal) => docker.listNetworks({ filters: { name: [name] }, abortSignal }),
    options,
  );
  // The filter also finds networks whose names contain the one looked for.
  const found = networks.find((network) => network.Name === name);
  if (found === undefined) return undefined;
  return isInstances(found.Labels, instance) ? found.Id : 'foreign';
};

const hashOf = (instance: string): string => createHash('sha256').update(instance).digest('hex');

/** What the interfaces of all bridges of an instance begin with, and no others. */
export const interfacePrefix = (instance: string): string => `br-${hashOf(instance).slice(0, 9)}`;

/** A Linux interface name has 15 characters at most. `number` from 1, which has the name that it always had. */
const interfaceName = (instance: string, number: number): string =>
  number === 1 ? `br-${hashOf(instance).slice(0, 12)}` : `${interfacePrefix(instance)}-${number}`;

const networkName = (instance: string, number: number): string =>
  number === 1 ? instance : `${instance}-${number}`;

/**
 * Docker lets two networks have one name, and then starts no container in either; its check against that is not
 * atomic. That two bridges cannot have the same interface is: so of several workers that make the network at
 * the same time one succeeds. Gives Docker's refusal, or undefined.
 */
const make = async (engine: Engine, instance: string, number: number): Promise<DockerRefusal | undefined> => {
  try {
    await engine.call('creating the network', (docker) =>
      docker.createNetwork({
        Name: networkName(instance, number),
        Driver: 'bridge',
        CheckDuplicate: true,
        Labels: { 'berth.instance': instance },
        Options: {
          'com.docker.network.bridge.name': interfaceName(instance, number),
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

const ensure = async (
  engine: Engine,
  instance: string,
  number: number,
  options: CallOptions,
): Promise<string | 'foreign'> => {
  const name = networkName(instance, number);
  const known = await find(engine, instance, name, options);
  if (known !== undefined) return known;
  const refusal = await make(engine, instance, number);
  for (const pause of pauses) {
    await sleep(pause);
    const found = await find(engine, instance, name, options);
    if (found !== undefined) return found;
  }
  throw refusal ?? new OperationError('docker-refused', `network ${name} did not come into being`);
};

/** How many of the instance's containers are made for each network, by its id. One that is stopped has its place too. */
const countContainers = async (
  engine: Engine,
  instance: string,
  options: CallOptions,
): Promise<Map<string, number>> => {
  const containers = await engine.call(
    'counting the containers of the networks',
    (docker, abortSignal) =>
      docker.listContainers({
        all: true,
        filters: { label: [`berth.instance=${instance}`] },
        abortSignal,
      }),
    options,
  );
  const counts = new Map<string, number>();
  for (const { HostConfig } of containers) {
    counts.set(HostConfig.NetworkMode, (counts.get(HostConfig.NetworkMode) ?? 0) + 1);
  }
  return counts;
};

/**
 * The id of a network of the instance that has room for a container; one is made where there is none. Throws
 * OperationError `name-taken` when the first one's name is taken by another's, `out-of-resources` when all are full.
 */
export const ensureNetwork = async (
  engine: Engine,
  instance: string,
  { perNetwork = containersPerNetwork, ...options }: CallOptions & { perNetwork?: number },
): Promise<string> => {
  const counts = await countContainers(engine, instance, options);
  for (let number = 1; number <= mostNetworks; number++) {
    const id = await ensure(engine, instance, number, options);
    if (id === 'foreign' && number === 1) throw new OperationError('name-taken', `network ${instance}`);
    if (id !== 'foreign' && (counts.get(id) ?? 0) < perNetwork) return id;
  }
  throw new OperationError('out-of-resources', `all ${mostNetworks} networks of VMs are full`);
};
