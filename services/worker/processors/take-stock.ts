import type { takeStock } from '../../../queues/catalog.ts';
import type { Processor } from '../../../queues/consumer.ts';
import { isOwnNetwork } from '../../../shared/stray/sorting.ts';
import type { Thing } from '../../../shared/stray/thing.ts';
import { resourceName } from '../docker/ownership.ts';
import { removeOldProbes } from '../docker/probes.ts';
import { listThings } from '../docker/stock.ts';
import type { VmHost } from '../vm-host.ts';
import { withMeaning } from './meaning.ts';

/** What bears the instance's label and is not expected. Of Berth's own things only those that are out of place travel. */

/** Things in one answer. */
export const mostThings = 1_000;

/** Another part each time: what would not fit is seen in another look. */
const someOf = (things: readonly Thing[]): Thing[] => {
  const start = Math.floor(Math.random() * things.length);
  return [...things.slice(start), ...things.slice(0, start)].slice(0, mostThings);
};

export const takeStockProcessor =
  ({ engine, instance }: VmHost): Processor<typeof takeStock> =>
  ({ expected }, context) =>
    withMeaning(context, async () => {
      const { signal, log } = context;
      // The next look comes to them; what else there is must be told all the same.
      await removeOldProbes(engine, instance).catch((err) =>
        log.warn({ err }, 'old probes could not be removed'),
      );
      const living = new Set(expected);
      const isExpected = ({ kind, name, vmId }: Thing): boolean => {
        if (kind === 'network') return isOwnNetwork(instance, name);
        return vmId !== null && living.has(vmId) && name === resourceName(instance, vmId);
      };
      const things = (await listThings(engine, instance, { signal })).filter((thing) => !isExpected(thing));
      if (things.length <= mostThings) return { things, complete: true };
      return { things: someOf(things), complete: false };
    });
