import { expect, it } from 'vitest';
import { GIB } from '../../../shared/vm/limits.ts';
import { containerOptions } from './container-options.ts';

const wish = {
  instance: 'test',
  vmId: 'vm1',
  owner: 1,
  name: 'box',
  image: 'berth-vm:latest',
  runtime: 'runc',
  networkId: 'n',
  bindAddress: '127.0.0.1',
  sshPort: 22_000,
  limits: { memoryBytes: GIB, cpus: 1, diskBytes: 100 * GIB, gpu: false, sudo: true },
  hostCpus: 2,
};

it('asks for a size exactly where the storage driver can hold a container to one', () => {
  expect(containerOptions(wish).HostConfig).not.toHaveProperty('StorageOpt');
  expect(containerOptions({ ...wish, diskQuota: true }).HostConfig?.StorageOpt).toEqual({
    size: '107374182400',
  });
});
