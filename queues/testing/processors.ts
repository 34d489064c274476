import type { Processors } from '../consumer.ts';

/** Processors that succeed at once; a test replaces those that it is about. */
export const succeeding: Processors = {
  createVm: async () => ({ containerId: 'c', hostKeyFingerprint: 'SHA256:k' }),
  startVm: async () => ({}),
  restartVm: async () => ({}),
  stopVm: async () => ({}),
  destroyVm: async () => ({}),
  exec: async () => ({ exitCode: 0, durationMs: 1, outputBytes: 0, truncated: false, timedOut: false }),
  buildImage: async () => ({ imageId: 'i', built: true }),
  setAccess: async () => ({}),
  measureVms: async () => ({ vms: [] }),
  lookAtVms: async () => ({ vms: [] }),
  measureDisks: async () => ({ vms: [] }),
  takeStock: async () => ({ things: [], complete: true }),
  removeLeftovers: async () => ({}),
  removeStrays: async () => ({}),
  probeGpu: async () => ({ way: null, devices: [], problem: 'none' }),
};

export const concurrency = { lifecycle: 4, exec: 4, image: 1, query: 4 };

const limits = { memoryBytes: 1, cpus: 1, diskBytes: 1, gpu: false, sudo: true };

export const ids = (operationId: string, epoch = 1) => ({
  operationId,
  vmId: 'vm1',
  epoch,
  correlationId: 'c1',
});

export const createPayload = (operationId: string, epoch = 1) => ({
  ...ids(operationId, epoch),
  owner: 1,
  name: 'box',
  limits,
  sshPort: 22_000,
  access: { passwordHash: '$6$x', authorizedKeys: [], revision: 1 },
});
