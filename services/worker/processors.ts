import type { Processors } from '../../queues/consumer.ts';
import { buildImageProcessor } from './processors/build-image.ts';
import { createVmProcessor } from './processors/create-vm.ts';
import { destroyVmProcessor } from './processors/destroy-vm.ts';
import { execProcessor } from './processors/exec.ts';
import { lookAtVmsProcessor } from './processors/look-at-vms.ts';
import { measureVmsProcessor } from './processors/measure-vms.ts';
import { probeGpuProcessor } from './processors/probe-gpu.ts';
import { restartVmProcessor } from './processors/restart-vm.ts';
import { setAccessProcessor } from './processors/set-access.ts';
import { startVmProcessor } from './processors/start-vm.ts';
import { stopVmProcessor } from './processors/stop-vm.ts';
import type { VmHost } from './vm-host.ts';

/** Every job of the catalogue and who does it on this host. */
export const createProcessors = (host: VmHost): Processors => ({
  createVm: createVmProcessor(host),
  startVm: startVmProcessor(host),
  restartVm: restartVmProcessor(host),
  stopVm: stopVmProcessor(host),
  destroyVm: destroyVmProcessor(host),
  exec: execProcessor(host),
  setAccess: setAccessProcessor(host),
  buildImage: buildImageProcessor(host),
  measureVms: measureVmsProcessor(host),
  lookAtVms: lookAtVmsProcessor(host),
  probeGpu: probeGpuProcessor(host),
});
