import type { startVm } from '../../../queues/catalog.ts';
import type { Processor } from '../../../queues/consumer.ts';
import { requireContainer } from '../docker/containers.ts';
import type { VmHost } from '../vm-host.ts';
import { withMeaning } from './meaning.ts';
import { startForOwner } from './owner-access.ts';

export const startVmProcessor =
  (host: VmHost): Processor<typeof startVm> =>
  (payload, context) =>
    withMeaning(context, async () => {
      const { engine, instance } = host;
      const { id } = await requireContainer(engine, { instance, vmId: payload.vmId }, context);
      await startForOwner(host, { ...payload, containerId: id }, context);
      return {};
    });
