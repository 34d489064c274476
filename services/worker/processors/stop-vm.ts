import type { stopVm } from '../../../queues/catalog.ts';
import type { Processor } from '../../../queues/consumer.ts';
import { requireContainer, stopContainer } from '../docker/containers.ts';
import type { VmHost } from '../vm-host.ts';
import { withMeaning } from './meaning.ts';

export const stopVmProcessor =
  ({ engine, instance }: VmHost): Processor<typeof stopVm> =>
  ({ vmId }, context) =>
    withMeaning(context, async () => {
      const { id } = await requireContainer(engine, { instance, vmId }, context);
      await context.progress('stopping');
      await context.checkFence();
      await stopContainer(engine, id, context);
      context.log.info({ containerId: id }, 'container stopped');
      return {};
    });
