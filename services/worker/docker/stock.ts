import { OperationError } from '../../../queues/errors.ts';
import { longestLabelValue, type Thing, thingKey } from '../../../shared/stray/thing.ts';
import { removeContainer } from './containers.ts';
import { type CallOptions, type Engine, isRefusal } from './engine.ts';
import { isInstances } from './ownership.ts';
import { isProbe } from './probes.ts';

/** Everything on this host that bears the instance's label, and how one such thing is removed, whatever its name is. */

/** Milliseconds: thousands of containers take Docker a while, and a home of many small files takes the file system one. */
const listDeadline = 30_000;
const removeDeadline = 60_000;

type Labels = Record<string, string> | null | undefined;

const labelValue = (labels: Labels, name: string): string | null =>
  labels?.[name]?.slice(0, longestLabelValue) ?? null;

const ofLabels = (labels: Labels) => ({
  vmId: labelValue(labels, 'berth.vm'),
  owner: labelValue(labels, 'berth.owner'),
});

/** Docker writes some times with an offset: one form for all, so that the same time is the same text. */
const toIso = (time: string | number | undefined): string | null => {
  const date = new Date(typeof time === 'number' ? time * 1_000 : (time ?? ''));
  return Number.isNaN(date.getTime()) ? null : date.toISOString();
};

/** One list each, without a look at every single one. Probes are none: they come and go. */
export const listThings = async (
  engine: Engine,
  instance: string,
  options: CallOptions = {},
): Promise<Thing[]> => {
  const filters = { label: [`berth.instance=${instance}`] };
  const patiently = { ...options, deadline: listDeadline };
  const containers = await engine.call(
    'listing containers',
    (docker, abortSignal) => docker.listContainers({ all: true, filters, abortSignal }),
    patiently,
  );
  const volumes = await engine.call(
    'listing volumes',
    (docker, abortSignal) => docker.listVolumes({ filters, abortSignal }),
    patiently,
  );
  const networks = await engine.call(
    'listing networks',
    (docker, abortSignal) => docker.listNetworks({ filters, abortSignal }),
    patiently,
  );
  return [
    ...containers
      .filter(({ Labels }) => !isProbe(Labels))
      .map(
        ({ Id, Names, Labels, Created, State }): Thing => ({
          kind: 'container',
          id: Id,
          name: Names?.[0]?.replace(/^\//, '') ?? '',
          ...ofLabels(Labels),
          createdAt: toIso(Created),
          running: State === 'running',
        }),
      ),
    ...(volumes.Volumes ?? []).map((volume): Thing => {
      const { Name, Labels } = volume;
      const { CreatedAt } = volume as { CreatedAt?: string };
      const labels = ofLabels(Labels);
      return { kind: 'volume', id: Name, name: Name, ...labels, createdAt: toIso(CreatedAt), running: false };
    }),
    ...networks.map(
      ({ Id, Name, Labels, Created }): Thing => ({
        kind: 'network',
        id: Id,
        name: Name,
        ...ofLabels(Labels),
        createdAt: toIso(Created),
        running: false,
      }),
    ),
  ];
};

/** Undefined where there is none of that id, or it is another one by now. */
const lookAt = async (
  engine: Engine,
  instance: string,
  thing: Thing,
  options: CallOptions,
): Promise<'same' | undefined> => {
  const { kind, id } = thing;
  const labels = await engine
    .call(
      'looking at a thing once more',
      async (docker, abortSignal): Promise<{ labels: Labels; createdAt: string | null }> => {
        if (kind === 'container') {
          const { Config } = await docker.getContainer(id).inspect({ abortSignal });
          return { labels: Config.Labels, createdAt: thing.createdAt };
        }
        if (kind === 'network') {
          const { Labels } = await docker.getNetwork(id).inspect();
          return { labels: Labels, createdAt: thing.createdAt };
        }
        const volume = await docker.getVolume(id).inspect({ abortSignal });
        return { labels: volume.Labels, createdAt: toIso((volume as { CreatedAt?: string }).CreatedAt) };
      },
      options,
    )
    .catch((error: unknown) => {
      if (isRefusal(error, 404)) return undefined;
      throw error;
    });
  if (labels === undefined || !isInstances(labels.labels, instance)) return undefined;
  const now: Thing = { ...thing, ...ofLabels(labels.labels), createdAt: labels.createdAt };
  return now.vmId === thing.vmId && thingKey(now) === thingKey(thing) ? 'same' : undefined;
};

const remove = async (engine: Engine, { kind, id, name }: Thing, options: CallOptions): Promise<void> => {
  if (kind === 'container') return removeContainer(engine, id, options);
  try {
    await engine.call(
      `removing a ${kind}`,
      (docker, abortSignal) =>
        kind === 'volume'
          ? docker.getVolume(id).remove({ abortSignal })
          : docker.getNetwork(id).remove({ abortSignal }),
      { ...options, deadline: removeDeadline },
    );
  } catch (error) {
    if (isRefusal(error, 404)) return;
    // A volume that a container has, a network that one is in: 409 and 403.
    if (isRefusal(error, 403, 409))
      throw new OperationError('docker-refused', `${kind} ${name} is still in use`);
    throw error;
  }
};

/** What holds another comes first. */
const order: readonly Thing['kind'][] = ['container', 'volume', 'network'];

/**
 * Removes them, each only where it is still the one that was seen; what is gone is done. `before` is called before each
 * and stops it all by throwing. One that cannot be removed does not keep the others; then throws what it was.
 */
export const removeThings = async (
  engine: Engine,
  instance: string,
  things: readonly Thing[],
  before: () => Promise<void>,
  options: CallOptions = {},
): Promise<Thing[]> => {
  const removed: Thing[] = [];
  let failure: unknown;
  for (const thing of things.toSorted((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind))) {
    await before();
    try {
      if ((await lookAt(engine, instance, thing, options)) === undefined) continue;
      await remove(engine, thing, options);
      removed.push(thing);
    } catch (error) {
      options.signal?.throwIfAborted();
      failure ??= error;
    }
  }
  if (failure !== undefined) throw failure;
  return removed;
};
