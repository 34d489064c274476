import type { Processors } from '../../queues/consumer.ts';
import type { EngineWatch } from './docker/engine-watch.ts';
import { buildImageProcessor } from './processors/build-image.ts';
import { createVmProcessor } from './processors/create-vm.ts';
import { destroyVmProcessor } from './processors/destroy-vm.ts';
import { execProcessor } from './processors/exec.ts';
import { lookAtVmsProcessor } from './processors/look-at-vms.ts';
import { measureDisksProcessor } from './processors/measure-disks.ts';
import { measureVmsProcessor } from './processors/measure-vms.ts';
import { patiently } from './processors/patiently.ts';
import { probeGpuProcessor } from './processors/probe-gpu.ts';
import { removeLeftoversProcessor, removeStraysProcessor } from './processors/remove-things.ts';
import { restartVmProcessor } from './processors/restart-vm.ts';
import { setAccessProcessor } from './processors/set-access.ts';
import { startVmProcessor } from './processors/start-vm.ts';
import { stopVmProcessor } from './processors/stop-vm.ts';
import { takeStockProcessor } from './processors/take-stock.ts';
import type { VmHost } from './vm-host.ts';

const minute = 60_000;

/**
 * Every job of the catalogue and who does it on this host. Operations wait for a Docker that is away, for less long than
 * the bot's sweeper waits for them; questions, whose answer is worth nothing later, do not.
 */
export const createProcessors = (host: VmHost, watch: EngineWatch): Processors => ({
  createVm: patiently(watch, 40 * minute, createVmProcessor(host)),
  startVm: patiently(watch, 12 * minute, startVmProcessor(host)),
  restartVm: patiently(watch, 12 * minute, restartVmProcessor(host)),
  stopVm: patiently(watch, 12 * minute, stopVmProcessor(host)),
  destroyVm: patiently(watch, 25 * minute, destroyVmProcessor(host)),
  exec: patiently(watch, 4 * minute, execProcessor(host)),
  setAccess: patiently(watch, 8 * minute, setAccessProcessor(host)),
  buildImage: patiently(watch, 25 * minute, buildImageProcessor(host)),
  measureVms: measureVmsProcessor(host),
  lookAtVms: lookAtVmsProcessor(host),
  measureDisks: measureDisksProcessor(host),
  takeStock: takeStockProcessor(host),
  removeLeftovers: removeLeftoversProcessor(host),
  removeStrays: removeStraysProcessor(host),
  probeGpu: probeGpuProcessor(host),
});
