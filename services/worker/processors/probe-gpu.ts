import type { probeGpu } from '../../../queues/catalog.ts';
import type { Processor } from '../../../queues/consumer.ts';
import type { VmHost } from '../vm-host.ts';
import { withMeaning } from './meaning.ts';

/** Looks anew whether the host gives GPUs to VMs. */
export const probeGpuProcessor =
  (host: VmHost): Processor<typeof probeGpu> =>
  (_payload, context) =>
    withMeaning(context, () => host.gpu({ fresh: true }));
