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
