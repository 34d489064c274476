import type { removeLeftovers, removeStrays } from '../../../queues/catalog.ts';
import type { Processor } from '../../../queues/consumer.ts';
import { removeThings } from '../docker/stock.ts';
import type { VmHost } from '../vm-host.ts';
import { withMeaning } from './meaning.ts';

/** Removal of what no VM needs: leftovers by themselves, strays by an administrator's order. */

/** A newer operation of the VM would have things of its own: with it nothing more is touched. */
export const removeLeftoversProcessor =
  ({ engine, instance }: VmHost): Processor<typeof removeLeftovers> =>
  ({ vmId, things }, context) =>
    withMeaning(context, async () => {
      const ofVm = things.filter((thing) => thing.vmId === vmId);
      const removed = await removeThings(engine, instance, ofVm, context.checkFence, context);
      context.log.info({ removed: removed.map(({ kind, id }) => `${kind} ${id}`) }, 'leftovers removed');
      return {};
    });

export const removeStraysProcessor =
  ({ engine, instance }: VmHost): Processor<typeof removeStrays> =>
  ({ things }, context) =>
    withMeaning(context, async () => {
      const removed = await removeThings(engine, instance, things, context.checkFence, context);
      context.log.info({ removed: removed.map(({ kind, id }) => `${kind} ${id}`) }, 'strays removed');
      return {};
    });
