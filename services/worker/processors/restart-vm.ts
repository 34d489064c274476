import type { restartVm } from '../../../queues/catalog.ts';
import type { Processor } from '../../../queues/consumer.ts';
import { requireContainer, stopContainer } from '../docker/containers.ts';
import type { VmHost } from '../vm-host.ts';
import { withMeaning } from './meaning.ts';
import { startForOwner } from './owner-access.ts';

/**
 * Stop and start as two steps of ours rather than Docker's one: between them a newer operation is let through,
 * and after a lost answer it can be seen how far it came.
 */
export const restartVmProcessor =
  (host: VmHost): Processor<typeof restartVm> =>
  (payload, context) =>
    withMeaning(context, async () => {
      const { engine, instance } = host;
      const { id } = await requireContainer(engine, { instance, vmId: payload.vmId }, context);
      await context.progress('stopping');
      await context.checkFence();
      await stopContainer(engine, id, context);
      context.log.info({ containerId: id }, 'container stopped');
      await startForOwner(host, { ...payload, containerId: id }, context);
      return {};
    });
