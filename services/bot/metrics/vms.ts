import { Gauge, type Registry } from 'prom-client';
import type { VmStatus } from '../../../shared/vm/vm.ts';
import type { Store } from '../store/store.ts';

/** How many VMs there are, by state, at the time of the question. A destroyed one is none. */

const states: readonly Exclude<VmStatus, 'none' | 'destroyed'>[] = [
  'creating',
  'starting',
  'running',
  'stopping',
  'stopped',
  'destroying',
  'failed',
  'lost',
];

export const countVms = (registry: Registry, db: Store['db']): void => {
  new Gauge({
    name: 'berth_vms',
    help: 'VMs, by state.',
    labelNames: ['state'],
    registers: [registry],
    async collect() {
      const rows = await db
        .selectFrom('vms')
        .select(({ fn }) => ['status', fn.countAll<number>().as('count')])
        .where('status', '!=', 'destroyed')
        .groupBy('status')
        .execute();
      const counts = new Map(rows.map(({ status, count }) => [status, count]));
      for (const state of states) this.set({ state }, counts.get(state) ?? 0);
    },
  });
};
