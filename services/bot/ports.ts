import type { PortRange } from './env.ts';
import type { Trx } from './store/store.ts';

/**
 * The SSH port for a VM of a host: the lowest one of the range that no VM there has, destroyed ones aside; above
 * `refused`, a port that something else on the host was found to use, and from the beginning again after the last.
 * Null when all are taken.
 */
export const pickPort = async (
  trx: Trx,
  host: string,
  { first, last }: PortRange,
  refused?: number,
): Promise<number | null> => {
  const rows = await trx
    .selectFrom('vms')
    .select('ssh_port')
    .where('host', '=', host)
    .where('status', '!=', 'destroyed')
    .execute();
  const taken = new Set(rows.map(({ ssh_port }) => ssh_port));
  const size = last - first + 1;
  const start = refused === undefined ? 0 : refused + 1 - first;
  for (let step = 0; step < size; step += 1) {
    const port = first + ((((start + step) % size) + size) % size);
    if (!taken.has(port) && port !== refused) return port;
  }
  return null;
};
