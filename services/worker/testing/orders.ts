import type { Access, createVm, Payload } from '../../../queues/catalog.ts';
import { GIB } from '../../../shared/vm/limits.ts';
import { freePort, newVmId, passwordHash } from './vm-host.ts';

/** The part that the jobs of all operations on a VM share. */
export const operationOn = (vmId: string) => ({
  operationId: `op-${vmId}`,
  vmId,
  epoch: 1,
  correlationId: 'test',
});

/** As everybody's VM gets it: the tests' password, no keys. */
export const access: Access = { passwordHash, authorizedKeys: [], revision: 1 };

/** An order for a small new VM with a free port. */
export const newVmOrder = async (
  changes: Partial<Payload<typeof createVm>> = {},
): Promise<Payload<typeof createVm>> => ({
  ...operationOn(newVmId()),
  owner: 1001,
  name: 'atlas',
  limits: { memoryBytes: GIB / 2, cpus: 1, diskBytes: GIB, gpu: false, sudo: true },
  sshPort: await freePort(),
  access,
  ...changes,
});
