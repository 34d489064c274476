import type { startVm } from '../../../queues/catalog.ts';
import type { Processor } from '../../../queues/consumer.ts';
import { requireContainer, startContainer } from '../docker/containers.ts';
import type { VmHost } from '../vm-host.ts';
import { withMeaning } from './meaning.ts';
import { letOwnerIn } from './owner-access.ts';

export const startVmProcessor =
  (host: VmHost): Processor<typeof startVm> =>
  (payload, context) =>
    withMeaning(context, async () => {
      const { engine, instance } = host;
      const { id } = await requireContainer(engine, { instance, vmId: payload.vmId }, context);
      await context.progress('starting');
      await context.checkFence();
      await startContainer(engine, id, context);
      context.log.info({ containerId: id }, 'container started');
      await context.progress('ssh');
      await letOwnerIn(host, { ...payload, containerId: id }, context);
      return {};
    });
