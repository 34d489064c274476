import type { Store, Trx } from '../../services/bot/store/store.ts';
import { vm, vmStream } from '../../shared/vm/decider.ts';

/** VMs that exist in events and projections only. */

const gib = 1024 ** 3;
export const limits = { memoryBytes: gib, cpus: 1, diskBytes: gib, gpu: false, sudo: true };

type NewVm = { vmId: string; owner: number; host: string; sshPort: number };

/** Asked for and created; it runs, as far as the events tell. */
export const addVm = async (store: Store, trx: Trx, wish: NewVm): Promise<void> => {
  const { vmId, owner } = wish;
  const ids = { operationId: `${vmId}-create`, vmId, at: new Date().toISOString() };
  const metadata = { actor: owner, chat: owner, correlationId: ids.operationId, causationId: null };
  const request = { ...ids, ...wish, name: 'box', limits, plan: null };
  await store.handle(trx, vm, vmStream(vmId), { type: 'RequestVm', data: request }, metadata);
  const created = { ...ids, containerId: 'none', hostKeyFingerprint: 'none' };
  await store.handle(trx, vm, vmStream(vmId), { type: 'RecordCreated', data: created }, metadata);
};
