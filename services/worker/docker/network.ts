import { OperationError } from '../../../queues/errors.ts';
import type { CallOptions, Engine } from './engine.ts';
import { isRefusal } from './engine.ts';
import { isInstances } from './ownership.ts';

/**
 * All VMs of an instance share one bridge, because Docker's address pools give about 31 networks in all. The
 * bridge lets no traffic pass between its containers.
 */

type Found = { id: string; created: string; ours: boolean };

const findByName = async (engine: Engine, name: string, options: CallOptions): Promise<Found[]> => {
  const networks = await engine.call(
    'listing networks',
    (docker, abortSignal) => docker.listNetworks({ filters: { name: [name] }, abortSignal }),
    options,
  );
  return networks
    .filter((network) => network.Name === name) // the filter also finds names that contain it
    .map(({ Id, Created, Labels }) => ({ id: Id, created: Created ?? '', ours: isInstances(Labels, name) }))
    .sort((a, b) => a.created.localeCompare(b.created) || a.id.localeCompare(b.id));
};

const pick = (networks: Found[], name: string): string | undefined => {
  const first = networks.find((network) => network.ours);
  if (first !== undefined) return first.id;
  if (networks.length === 0) return undefined;
  throw new OperationError('name-taken', `network ${name}`);
};

const create = (engine: Engine, name: string) =>
  engine.call('creating the network', (docker) =>
    docker.createNetwork({
      Name: name,
      Driver: 'bridge',
      CheckDuplicate: true,
      Labels: { 'berth.instance': name },
      Options: { 'com.docker.network.bridge.enable_icc': 'false' },
    }),
  );

/**
 * The id of the instance's network, which is made where it is missing. Docker may let two workers make one of
 * the same name: both then take the older one, and the younger one's maker removes it again.
 * Throws OperationError `name-taken` when a network of that name is not ours.
 */
export const ensureNetwork = async (engine: Engine, name: string, options: CallOptions): Promise<string> => {
  const known = pick(await findByName(engine, name, options), name);
  if (known !== undefined) return known;
  const made = await create(engine, name).catch((error: unknown) => {
    if (isRefusal(error, 409)) return undefined;
    throw error;
  });
  const chosen = pick(await findByName(engine, name, options), name);
  if (chosen === undefined)
    throw new OperationError('docker-refused', `network ${name} did not come into being`);
  if (made !== undefined && made.id !== chosen) {
    await engine.call('removing the second network', (docker) => docker.getNetwork(made.id).remove());
  }
  return chosen;
};
