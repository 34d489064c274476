import type { measureDisks, Payload, Result } from '../../../queues/catalog.ts';
import type { Context, Processor } from '../../../queues/consumer.ts';
import { askForLayer, type Places, type Use, walkFolders } from '../docker/disk-use.ts';
import { isRefusal } from '../docker/engine.ts';
import { isVms, resourceName } from '../docker/ownership.ts';
import type { VmHost } from '../vm-host.ts';
import { withMeaning } from './meaning.ts';

/** How much disk each of these VMs uses. Of VMs that do not run nothing is known. */

type Question = Payload<typeof measureDisks>['vms'][number];
type Answer = Result<typeof measureDisks>['vms'][number];
type Found = { id: string; places: Places };

const homeFolder = '/home/dev';

/** Where a container's files lie never changes, so each is asked for once. */
const createLookUp = ({ engine }: VmHost) => {
  const known = new Map<string, Places>();
  const placesOf = async (id: string, context: Context): Promise<Places | null> => {
    try {
      const found = await engine.call(
        'inspecting the container',
        (docker, abortSignal) => docker.getContainer(id).inspect({ abortSignal }),
        { signal: context.signal },
      );
      const { UpperDir } = (found.GraphDriver?.Data ?? {}) as { UpperDir?: string };
      const home = found.Mounts.find(
        ({ Type, Destination }) => Type === 'volume' && Destination === homeFolder,
      );
      const files = [found.HostsPath, found.HostnamePath, found.ResolvConfPath].filter((path) => path);
      return { layer: UpperDir ?? null, home: home?.Source ?? null, files };
    } catch (error) {
      if (isRefusal(error, 404)) return null;
      throw error;
    }
  };
  return async (
    running: ReadonlySet<string>,
    ids: readonly string[],
    context: Context,
  ): Promise<Map<string, Places>> => {
    for (const id of known.keys()) if (!running.has(id)) known.delete(id);
    for (const id of ids) {
      const places = known.get(id) ?? (await placesOf(id, context));
      if (places !== null) known.set(id, places);
    }
    return known;
  };
};

const findRunning = async (
  { engine, instance }: VmHost,
  vms: readonly Question[],
  { signal }: Context,
): Promise<{ all: Set<string>; byVm: Map<string, string> }> => {
  const running = await engine.call(
    'listing containers',
    (docker, abortSignal) =>
      docker.listContainers({ filters: { label: [`berth.instance=${instance}`, 'berth.vm'] }, abortSignal }),
    { signal },
  );
  const byName = new Map(running.flatMap((one) => one.Names.map((name) => [name.slice(1), one])));
  const byVm = new Map<string, string>();
  for (const { vmId } of vms) {
    const found = byName.get(resourceName(instance, vmId));
    if (found !== undefined && isVms(found.Labels, instance, vmId)) byVm.set(vmId, found.Id);
  }
  return { all: new Set(running.map(({ Id }) => Id)), byVm };
};

/** A part that is not to be seen is undefined: then nothing is said of the whole. */
const together = (parts: readonly (Use | undefined)[]): Pick<Answer, 'usedBytes' | 'complete'> => {
  const seen = parts.filter((part) => part !== undefined);
  if (seen.length < parts.length) return { usedBytes: null, complete: false };
  return {
    usedBytes: seen.reduce((sum, { bytes }) => sum + bytes, 0),
    complete: seen.every(({ complete }) => complete),
  };
};

export const measureDisksProcessor = (host: VmHost): Processor<typeof measureDisks> => {
  const lookUp = createLookUp(host);
  return ({ vms, lane }, context) =>
    withMeaning(context, async () => {
      const { engine, instance, vmImage: image } = host;
      const { signal, log } = context;
      const { all, byVm } = await findRunning(host, vms, context);
      const places = await lookUp(all, [...byVm.values()], context);
      const found = new Map<string, Found>();
      for (const [vmId, id] of byVm) {
        const of = places.get(id);
        if (of !== undefined) found.set(vmId, { id, places: of });
      }
      const folders = [...found.values()]
        .flatMap(({ places: { layer, home, files } }) => [layer, home, ...files])
        .filter((path) => path !== null);
      const walked =
        folders.length === 0
          ? new Map<number, Use>()
          : await walkFolders(engine, { instance, image, lane, folders }, { signal });
      if (walked === null) log.info('another worker measures disks');
      const useOf = (path: string | null): Use | undefined =>
        path === null ? undefined : walked?.get(folders.indexOf(path));
      const layerOf = async ({ id, places: { layer } }: Found): Promise<Use | undefined> => {
        if (layer !== null) return useOf(layer);
        const bytes = await askForLayer(engine, id, { signal }).catch((err: unknown) => {
          log.debug({ err }, 'the size of a container is not to be had');
          return null;
        });
        return bytes === null ? undefined : { bytes, complete: true };
      };
      const answers: Answer[] = [];
      for (const { vmId, epoch } of vms) {
        const of = found.get(vmId);
        const use =
          of === undefined
            ? together([undefined])
            : together([await layerOf(of), useOf(of.places.home), ...of.places.files.map(useOf)]);
        answers.push({ vmId, epoch, ...use });
      }
      return { vms: answers };
    });
};
