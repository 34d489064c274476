import type { GpuOffer } from '../../queues/host-facts.ts';
import type { CallOptions, Engine } from './docker/engine.ts';
import type { Firewall } from './firewall/firewall.ts';

/** The Docker host that this worker serves, and how VMs are made on it. */
export type VmHost = {
  engine: Engine;
  instance: string;
  vmImage: string;
  vmBaseImage: string;
  vmRuntime: string;
  /** Where the SSH ports of VMs listen. */
  sshBindAddress: string;
  /** The CPUs that Docker has to give. */
  cpus: () => Promise<number>;
  /** How it gives GPUs to VMs, as tried out within the last ten minutes; with `fresh` now. */
  gpu: (options?: { fresh?: boolean }) => Promise<GpuOffer>;
  /** What keeps VMs off each other, the host and private networks; nothing is started before it stands. */
  firewall: Pick<Firewall, 'ensure' | 'known'>;
  /** Whether its storage driver holds a container to a size; false as long as that cannot be tried. */
  hasDiskQuota: (options?: CallOptions) => Promise<boolean>;
};

/** The number of CPUs is asked once: it takes Docker a while, and does not change while it runs. */
export const countCpusOnce = (engine: Engine): (() => Promise<number>) => {
  let known: number | undefined;
  return async () => {
    known ??= (await engine.call('asking Docker about the host', (docker) => docker.info())).NCPU as number;
    return known;
  };
};
