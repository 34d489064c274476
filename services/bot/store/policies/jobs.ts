import { type Catalog, catalog, type Job, type Payload } from '../../../../queues/catalog.ts';
import type { Event } from '../../../../shared/event-store/schema.ts';
import { cryptPassword } from '../../../../shared/secrets/password.ts';
import type { Vault } from '../../../../shared/secrets/vault.ts';
import { findOperation, findVm } from '../../queries.ts';
import { passwordName } from '../../sealed-names.ts';
import type { DomainEvent } from '../domain-event.ts';
import type { VmRow } from '../schema.ts';
import type { Policy, Trx } from '../store.ts';

/** Which events ask for work: rows of the outbox, written with the event that they follow from. */

const enqueue = async <J extends Job>(
  trx: Trx,
  job: J,
  vm: VmRow,
  payload: Payload<J> & { operationId: string },
  at: string,
): Promise<void> => {
  const { operationId } = payload;
  const operation = await findOperation(trx, operationId);
  await trx
    .insertInto('outbox')
    .values({
      kind: 'job',
      job_id: `${operationId}.${operation?.attempt ?? 1}`,
      operation_id: operationId,
      job_name: job.name,
      host: vm.host,
      payload: JSON.stringify(payload),
      created_at: at,
      sent_at: null,
    })
    .execute();
};

/** Whoever works on the operation must stop; a job that waits for it must not begin. */
const enqueueCancellation = async (
  trx: Trx,
  data: { operationId: string; vmId: string; at: string },
): Promise<void> => {
  const vm = await requireVm(trx, data.vmId);
  await trx
    .insertInto('outbox')
    .values({
      kind: 'cancel',
      job_id: data.operationId,
      operation_id: data.operationId,
      job_name: null,
      host: vm.host,
      payload: null,
      created_at: data.at,
      sent_at: null,
    })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
};

const requireVm = async (trx: Trx, vmId: string): Promise<VmRow> => {
  const vm = await findVm(trx, vmId);
  if (vm === undefined) throw new Error(`there is no VM ${vmId}`);
  return vm;
};

export const createJobsPolicy = ({ vault }: { vault: Vault }): Policy => {
  const enqueueCreation = async (
    trx: Trx,
    vmId: string,
    operation: OperationIds,
    at: string,
  ): Promise<void> => {
    const vm = await requireVm(trx, vmId);
    const password = await vault.unseal(trx, vmId, passwordName);
    if (password === null) throw new Error(`VM ${vmId} has no password`);
    const limits = {
      memoryBytes: vm.memory_bytes,
      cpus: vm.cpus,
      diskBytes: vm.disk_bytes,
      gpu: vm.gpu === 1,
    };
    const payload: Payload<Catalog['createVm']> = {
      ...operation,
      owner: vm.owner,
      name: vm.name,
      limits,
      sshPort: vm.ssh_port,
      passwordHash: cryptPassword(password),
    };
    await enqueue(trx, catalog.createVm, vm, payload, at);
  };

  return async (trx, event) => {
    const { type, data } = event;
    switch (type) {
      case 'VmRequested':
      case 'VmPortReassigned':
        return enqueueCreation(trx, data.vmId, idsOf(event, data), data.at);
      case 'VmStartRequested': {
        const vm = await requireVm(trx, data.vmId);
        return enqueue(trx, catalog.startVm, vm, { ...idsOf(event, data), sshPort: vm.ssh_port }, data.at);
      }
      case 'VmRestartRequested': {
        const vm = await requireVm(trx, data.vmId);
        return enqueue(trx, catalog.restartVm, vm, { ...idsOf(event, data), sshPort: vm.ssh_port }, data.at);
      }
      case 'VmStopRequested':
        return enqueue(trx, catalog.stopVm, await requireVm(trx, data.vmId), idsOf(event, data), data.at);
      case 'VmDestroyRequested':
        return enqueue(trx, catalog.destroyVm, await requireVm(trx, data.vmId), idsOf(event, data), data.at);
      case 'ExecRequested': {
        const vm = await requireVm(trx, data.vmId);
        const ids = idsOf(event, { ...data, epoch: vm.epoch });
        return enqueue(trx, catalog.exec, vm, { ...ids, timeoutSeconds: data.timeoutSeconds }, data.at);
      }
      case 'ExecCancelRequested':
      case 'OperationCancelled':
      case 'OperationTimedOut':
        return enqueueCancellation(trx, data);
      case 'VmDestroyed':
        return vault.destroyKey(trx, data.vmId);
      case 'VmCreated':
      case 'VmStarted':
      case 'VmRestarted':
      case 'VmStopped':
      case 'ExecFinished':
      case 'OperationFailed':
      case 'VmExited':
      case 'VmLost':
      case 'UserAllowed':
      case 'UserRemoved':
      case 'AccessRequested':
      case 'AccessRefused':
      case 'PlanDefined':
      case 'PlanChanged':
      case 'DefaultMemoryChanged':
      case 'DefaultCpusChanged':
      case 'GpuPassthroughChanged':
        return;
    }
  };
};

type OperationIds = { operationId: string; vmId: string; epoch: number; correlationId: string };

const idsOf = (
  { metadata }: Event<DomainEvent>,
  { operationId, vmId, epoch }: { operationId: string; vmId: string; epoch: number },
): OperationIds => ({ operationId, vmId, epoch, correlationId: metadata.correlationId });
