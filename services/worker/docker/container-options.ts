import type { ContainerCreateOptions } from 'dockerode';
import type { VmLimits } from '../../../shared/vm/limits.ts';
import { type GpuWay, gpuRequests } from './gpu-requests.ts';
import { labelsOf, resourceName } from './ownership.ts';

/** How a VM's container looks to Docker: what it may use, and the little it is allowed to do. */

/** Room for a build with many jobs and a few hundred threads; a fork bomb stays inside. */
export const pidsLimit = 1024;

/**
 * Enough for any editor and watcher. Docker cannot give more than it has itself, and refuses to start then; and
 * where it has no limit, programs that close all possible files would take minutes.
 */
const openFiles = 16_384;

/**
 * What sshd, sudo, su and package managers need, and no more. Without NET_RAW nobody forges packets towards
 * the other VMs on the bridge; without MKNOD nobody makes device nodes.
 */
export const capabilities = [
  'AUDIT_WRITE', // sudo and su report to the audit log, and fail where they may not
  'CHOWN', // package managers give files to their owners…
  'DAC_OVERRIDE', // …write where root has no permission bits…
  'FOWNER', // …and change the mode of what is not theirs
  'FSETID', // set-group-id bits survive a change of a package's file
  'KILL', // root in the VM ends its users' processes
  'SETFCAP', // packages give file capabilities (ping)
  'SETGID', // sshd, sudo and su become somebody else
  'SETUID',
  'SYS_CHROOT', // sshd's separated part
];

const memoryAndSwap = (bytes: number) => ({ Memory: bytes, MemorySwap: bytes }); // equal: no swap

export type ContainerWish = {
  instance: string;
  vmId: string;
  owner: number;
  /** The VM's name, which becomes its host name. */
  name: string;
  image: string;
  runtime: string;
  networkId: string;
  bindAddress: string;
  sshPort: number;
  limits: VmLimits;
  /** Docker refuses more CPUs than the host has. */
  hostCpus: number;
  /** How the host gives its GPUs, for a VM that gets them. */
  gpuWay?: GpuWay;
  /** Whether the storage driver can hold the container's own layer to a size; the home is a volume, and is not. */
  diskQuota?: boolean;
};

export const hasFewerCpus = ({ limits, hostCpus }: ContainerWish): boolean => limits.cpus > hostCpus;

export const containerOptions = (wish: ContainerWish): ContainerCreateOptions & { name: string } => {
  const { instance, vmId, owner, limits } = wish;
  const name = resourceName(instance, vmId);
  const labels = labelsOf(instance, vmId, owner);
  return {
    name,
    Image: wish.image,
    Hostname: wish.name,
    Labels: labels,
    ExposedPorts: { '22/tcp': {} },
    HostConfig: {
      ...memoryAndSwap(limits.memoryBytes),
      NanoCpus: Math.round(Math.min(limits.cpus, wish.hostCpus) * 1e9),
      PidsLimit: pidsLimit,
      CapDrop: ['ALL'],
      CapAdd: capabilities,
      // Where nobody is to become root, no program with a set-user-id bit or file capabilities helps either.
      ...(limits.sudo ? {} : { SecurityOpt: ['no-new-privileges:true'] }),
      ...(wish.diskQuota ? { StorageOpt: { size: String(limits.diskBytes) } } : {}),
      Runtime: wish.runtime,
      // Berth alone starts VMs, also after Docker or the host were restarted: Docker would start one that is to be
      // stopped by then, and overwrite its record of why one ended.
      RestartPolicy: { Name: 'no' },
      LogConfig: { Type: 'json-file', Config: { 'max-size': '1m', 'max-file': '2' } },
      Ulimits: [{ Name: 'nofile', Soft: openFiles, Hard: openFiles }],
      NetworkMode: wish.networkId,
      PortBindings: { '22/tcp': [{ HostIp: wish.bindAddress, HostPort: String(wish.sshPort) }] },
      Mounts: [
        {
          Type: 'volume',
          Source: name,
          Target: '/home/dev',
          VolumeOptions: { NoCopy: false, Labels: labels, DriverConfig: { Name: 'local', Options: {} } },
        },
      ],
      ...(wish.gpuWay === undefined ? {} : { DeviceRequests: gpuRequests[wish.gpuWay] }),
    },
  };
};
