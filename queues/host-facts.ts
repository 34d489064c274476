import { z } from 'zod';

/** What a worker tells of its Docker host: what VMs can have there, and which protections hold. */

/** How the host gives GPUs to containers, as tried out with one: by CDI, by NVIDIA's runtime hook, or not at all. */
export const gpuOffer = z.object({
  way: z.enum(['cdi', 'nvidia']).nullable(),
  /** Device files that the container was given, such as /dev/nvidia0. */
  devices: z.array(z.string()),
  /** Why not, for people; null where there is a way. */
  problem: z.string().nullable(),
});
export type GpuOffer = z.infer<typeof gpuOffer>;

/**
 * Whether rules hold VMs off each other, the host and private networks, as put in place and read back. Why not, where
 * they do not:
 * `image-missing`, `nft-missing` — the VM image, which brings the program nft, is not there, or older than that;
 * `not-permitted` — Docker, or the kernel, does not let a container change the rules of the host;
 * `kernel` — the kernel has no nftables, or lacks a part of them;
 * `rootless` — the rules stand, but Docker's user-mode network leads around them to the host's own addresses;
 * `bridges` — they stand, but the kernel does not show them what passes between two ports of one bridge;
 * `failed` — something else, which `detail` tells.
 */
export const firewallState = z.object({
  problem: z
    .enum(['image-missing', 'nft-missing', 'not-permitted', 'kernel', 'rootless', 'bridges', 'failed'])
    .nullable(),
  /** Whose word it is, for people. */
  detail: z.string(),
  /** What VMs may reach all the same, as written in VM_MAY_REACH. */
  mayReach: z.array(z.string()),
});
export type FirewallState = z.infer<typeof firewallState>;

export const hostFacts = z.object({
  dockerVersion: z.string(),
  operatingSystem: z.string(),
  kernel: z.string(),
  cpus: z.number(),
  memoryBytes: z.number(),
  storageDriver: z.string(),
  cgroupVersion: z.string(),
  /** Names of the OCI runtimes that Docker knows. */
  runtimes: z.array(z.string()),
  /** The runtime of the VMs. */
  vmRuntime: z.string(),
  protections: z.object({
    seccomp: z.boolean(),
    appArmor: z.boolean(),
    userNamespaces: z.boolean(),
    memoryLimit: z.boolean(),
    swapLimit: z.boolean(),
    pidsLimit: z.boolean(),
    /** Whether the storage driver can hold a VM to its disk limit. */
    diskLimit: z.boolean(),
  }),
  /** Null as long as nobody has looked, and from workers of before there was one. */
  firewall: firewallState.nullable().default(null),
  /** Docker's data folder, where the worker can see it. Bytes. */
  disk: z.object({ totalBytes: z.number(), freeBytes: z.number() }).nullable(),
  /** Null as long as nobody has looked. */
  gpu: gpuOffer.nullable(),
  /** The image of the VMs; null where it is missing. `current`: built from the recipe that this worker has. */
  image: z
    .object({ name: z.string(), id: z.string(), createdAt: z.string(), current: z.boolean() })
    .nullable(),
});
export type HostFacts = z.infer<typeof hostFacts>;
