import type { HostConfig } from 'dockerode';
import type { GpuOffer } from '../../../queues/host-facts.ts';

/** How Docker is asked for all GPUs of the host. */

export type GpuWay = NonNullable<GpuOffer['way']>;

export const gpuRequests: Record<GpuWay, NonNullable<HostConfig['DeviceRequests']>> = {
  cdi: [{ Driver: 'cdi', DeviceIDs: ['nvidia.com/gpu=all'] }],
  nvidia: [{ Driver: 'nvidia', Count: -1, Capabilities: [['gpu', 'compute', 'utility']] }],
};
