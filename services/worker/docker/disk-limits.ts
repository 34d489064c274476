import { type CallOptions, type Engine, isRefusal } from './engine.ts';
import { newProbe, removeProbe } from './probes.ts';

/** Whether Docker can hold a container to a size. That depends on its storage driver and on what that lies on. */

const always = ['btrfs', 'zfs', 'devicemapper'];
/** The driver where it depends on the mount's options, of which Docker says nothing. */
const sometimes = 'overlay2';

type Storage = { Driver: string; DriverStatus?: [string, string][] | null };

/** Undefined where only asking for a limit would tell. */
export const knownDiskLimit = ({ Driver, DriverStatus }: Storage): boolean | undefined => {
  if (always.includes(Driver)) return true;
  const [, fileSystem] = DriverStatus?.find(([name]) => name === 'Backing Filesystem') ?? [];
  return Driver === sometimes && fileSystem === 'xfs' ? undefined : false;
};

/** Asks for a container with a size, which is never started. Undefined as long as the image is missing. */
export const tryDiskLimit = async (
  engine: Engine,
  { instance, image }: { instance: string; image: string },
): Promise<boolean | undefined> => {
  const probe = newProbe(instance);
  try {
    await engine.call('making a container with a disk limit', (docker) =>
      docker.createContainer({ ...probe, Image: image, HostConfig: { StorageOpt: { size: '1G' } } }),
    );
    return true;
  } catch (error) {
    if (isRefusal(error, 404)) return undefined;
    if (!isRefusal(error)) throw error;
    return false;
  } finally {
    await removeProbe(engine, probe.name);
  }
};

/** A function that says it, once it has found out: neither the driver nor what it lies on changes while Docker runs. */
export const createDiskQuota = (
  engine: Engine,
  order: { instance: string; image: string },
): ((options?: CallOptions) => Promise<boolean>) => {
  let known: boolean | undefined;
  return async (options = {}) => {
    if (known !== undefined) return known;
    const info = await engine.call(
      'asking Docker about the host',
      (docker) => docker.info() as Promise<Storage>,
      options,
    );
    known = knownDiskLimit(info) ?? (await tryDiskLimit(engine, order));
    return known ?? false;
  };
};
