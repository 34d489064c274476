import type { destroyVm } from '../../../queues/catalog.ts';
import type { Processor } from '../../../queues/consumer.ts';
import { lookUpContainer, removeContainer } from '../docker/containers.ts';
import { removeVolume } from '../docker/volumes.ts';
import type { VmHost } from '../vm-host.ts';
import { withMeaning } from './meaning.ts';

/** Removes container and volume. A container of that name that is not ours is left alone: the VM has none. */
export const destroyVmProcessor =
  ({ engine, instance }: VmHost): Processor<typeof destroyVm> =>
  ({ vmId }, context) =>
    withMeaning(context, async () => {
      const vm = { instance, vmId };
      await context.progress('removing');
      const container = await lookUpContainer(engine, vm, context);
      if (container !== undefined && container !== 'foreign') {
        await context.checkFence();
        await removeContainer(engine, container.id, context);
        context.log.info({ containerId: container.id }, 'container removed');
      }
      await context.checkFence();
      await removeVolume(engine, vm, context);
      context.log.info('volume removed');
      return {};
    });
