import { statfs } from 'node:fs/promises';
import type { GpuOffer, HostFacts } from '../../queues/host-facts.ts';
import { recipeLabel } from './docker/builds.ts';
import type { CallOptions, Engine } from './docker/engine.ts';
import { findImage } from './docker/images.ts';
import type { VmHost } from './vm-host.ts';
import { readVmRecipe } from './vm-recipe.ts';

/** What the roll call tells of a worker's host: Docker's own word, and what it does not say of itself. */

/** Of Docker's answer, what is used here; some engines leave some of it out. */
type Info = {
  ServerVersion: string;
  OperatingSystem: string;
  KernelVersion: string;
  NCPU: number;
  MemTotal: number;
  Driver: string;
  DriverStatus?: [string, string][] | null;
  DockerRootDir: string;
  CgroupVersion?: string;
  Runtimes?: Record<string, unknown> | null;
  SecurityOptions?: string[] | null;
  MemoryLimit?: boolean;
  SwapLimit?: boolean;
  PidsLimit?: boolean;
  CDISpecDirs?: string[] | null;
};

const askInfo = (engine: Engine, options: CallOptions): Promise<Info> =>
  engine.call('asking Docker about the host', (docker) => docker.info() as Promise<Info>, options);

/** Whether anything on the host looks as if it could give GPUs: else nobody need try. */
export const mayHaveGpus = async (engine: Engine, options: CallOptions = {}): Promise<boolean> => {
  const { CDISpecDirs, Runtimes } = await askInfo(engine, options);
  return (CDISpecDirs ?? []).length > 0 || Object.hasOwn(Runtimes ?? {}, 'nvidia');
};

const readSecurity = (options: string[]) => {
  const has = (name: string) => options.some((option) => option.split(',')[0] === `name=${name}`);
  return {
    seccomp: has('seccomp') && !options.some((option) => /^name=seccomp,.*profile=unconfined/.test(option)),
    appArmor: has('apparmor'),
    userNamespaces: has('userns') || has('rootless'),
  };
};

/** Null where the folder is not to be seen: the worker runs in a container, or Docker on another machine. */
const readDisk = async (dockerHost: string, folder: string): Promise<HostFacts['disk']> => {
  if (!dockerHost.startsWith('unix://')) return null;
  try {
    const { blocks, bavail, bsize } = await statfs(folder);
    return { totalBytes: blocks * bsize, freeBytes: bavail * bsize };
  } catch (error) {
    if (['ENOENT', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) return null;
    throw error;
  }
};

export type FactsOptions = {
  /** As in DOCKER_HOST. */
  dockerHost: string;
  /** What the last look for GPUs gave. */
  knownGpu: () => GpuOffer | null;
};

/** A function that gathers the facts. It throws RetryableError `docker-unreachable` as long as Docker is away. */
export const createFactsGatherer = (host: VmHost, { dockerHost, knownGpu }: FactsOptions) => {
  const { engine, vmImage, vmRuntime } = host;
  let recipeHash: string | undefined; // of the files that this process began with

  return async (signal: AbortSignal): Promise<HostFacts> => {
    const options = { signal };
    const info = await askInfo(engine, options);
    const image = await findImage(engine, vmImage, options);
    recipeHash ??= (await readVmRecipe(host.vmBaseImage)).hash;
    return {
      dockerVersion: info.ServerVersion,
      operatingSystem: info.OperatingSystem,
      kernel: info.KernelVersion,
      cpus: info.NCPU,
      memoryBytes: info.MemTotal,
      storageDriver: info.Driver,
      cgroupVersion: info.CgroupVersion ?? '1', // engines from before the second version do not say so
      runtimes: Object.keys(info.Runtimes ?? {}).sort(),
      vmRuntime,
      protections: {
        ...readSecurity(info.SecurityOptions ?? []),
        memoryLimit: info.MemoryLimit === true,
        swapLimit: info.SwapLimit === true,
        pidsLimit: info.PidsLimit === true,
        diskLimit: await host.hasDiskQuota(options),
      },
      firewall: host.firewall.known(),
      disk: await readDisk(dockerHost, info.DockerRootDir),
      gpu: knownGpu(),
      image:
        image === undefined
          ? null
          : {
              name: vmImage,
              id: image.id,
              createdAt: image.createdAt,
              current: image.labels[recipeLabel] === recipeHash,
            },
    };
  };
};
