import { catalog, gatewayHost, type Job, type Payload } from '../../../../queues/catalog.ts';
import type { Event } from '../../../../shared/event-store/schema.ts';
import type { ImageEvent } from '../../../../shared/image/image.ts';
import type { Vault } from '../../../../shared/secrets/vault.ts';
import type { VmEvent } from '../../../../shared/vm/events.ts';
import { findOpenAccessUpdates, findOperation, findVm } from '../../queries.ts';
import { newPasswordName, passwordName } from '../../sealed-names.ts';
import { type DomainEvent, isImageEvent, isLinkEvent, isStrayEvent, isVmEvent } from '../domain-event.ts';
import type { VmRow } from '../schema.ts';
import { sealPayload } from '../sealed-payload.ts';
import type { Policy, Trx } from '../store.ts';
import { accessTo } from './access-to.ts';

/** Which events ask for work: rows of the outbox, written with the event that they follow from. */

/** Whoever works on the operation must stop; a job that waits for it must not begin. */
const enqueueCancellation = async (
  trx: Trx,
  host: string,
  { operationId, at }: { operationId: string; at: string },
): Promise<void> => {
  await trx
    .insertInto('outbox')
    .values({
      kind: 'cancel',
      job_id: operationId,
      operation_id: operationId,
      job_name: null,
      host,
      payload: null,
      created_at: at,
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
  const enqueue = async <J extends Job>(
    trx: Trx,
    job: J,
    host: string,
    payload: Payload<J> & { operationId: string },
    at: string,
  ): Promise<void> => {
    const { operationId } = payload;
    const operation = await findOperation(trx, operationId);
    const jobId = `${operationId}.${operation?.attempt ?? 1}`;
    await trx
      .insertInto('outbox')
      .values({
        kind: 'job',
        job_id: jobId,
        operation_id: operationId,
        job_name: job.name,
        host,
        payload: await sealPayload({ trx, vault }, { jobName: job.name, jobId }, payload),
        created_at: at,
        sent_at: null,
      })
      .execute();
  };

  const enqueueCreation = async (
    trx: Trx,
    event: Event<DomainEvent>,
    data: { operationId: string; vmId: string; epoch: number; at: string },
  ): Promise<void> => {
    const vm = await requireVm(trx, data.vmId);
    const limits = {
      memoryBytes: vm.memory_bytes,
      cpus: vm.cpus,
      diskBytes: vm.disk_bytes,
      gpu: vm.gpu === 1,
      sudo: vm.sudo === 1,
    };
    const payload = {
      ...idsOf(event, data),
      owner: vm.owner,
      name: vm.name,
      limits,
      sshPort: vm.ssh_port,
      access: await accessTo(trx, vault, vm, { password: null, revision: event.position }),
    };
    await enqueue(trx, catalog.createVm, vm.host, payload, data.at);
  };

  const enqueueStart = async (
    trx: Trx,
    job: typeof catalog.startVm | typeof catalog.restartVm,
    event: Event<DomainEvent>,
    data: { operationId: string; vmId: string; epoch: number; at: string },
  ): Promise<void> => {
    const vm = await requireVm(trx, data.vmId);
    const access = await accessTo(trx, vault, vm, { password: null, revision: event.position });
    await enqueue(trx, job, vm.host, { ...idsOf(event, data), sshPort: vm.ssh_port, access }, data.at);
  };

  const enqueueAccess = async (
    trx: Trx,
    event: Event<DomainEvent>,
    data: { operationId: string; vmId: string; at: string },
  ): Promise<void> => {
    const vm = await requireVm(trx, data.vmId);
    const name = newPasswordName(data.operationId);
    let password = await vault.unseal(trx, vm.vm_id, name);
    if (password === null) {
      // The newest access wins in the VM: changed keys must not bring the old password back meanwhile.
      password = await passwordOnItsWay(trx, vm.vm_id);
      if (password !== null) await vault.seal(trx, vm.vm_id, name, password);
    }
    const access = await accessTo(trx, vault, vm, { password, revision: event.position });
    await enqueue(
      trx,
      catalog.setAccess,
      vm.host,
      { ...idsOf(event, { ...data, epoch: vm.epoch }), access },
      data.at,
    );
  };

  /** The newest of the passwords that are being put into the VM. */
  const passwordOnItsWay = async (trx: Trx, vmId: string): Promise<string | null> => {
    for (const { operation_id } of (await findOpenAccessUpdates(trx, vmId)).reverse()) {
      const password = await vault.unseal(trx, vmId, newPasswordName(operation_id));
      if (password !== null) return password;
    }
    return null;
  };

  /**
   * From now on the VM's password is the one that was made for this operation. Those of older ones, whose word comes
   * later, are forgotten: the VM has refused them.
   */
  const adoptPassword = async (
    trx: Trx,
    { vmId, operationId }: { vmId: string; operationId: string },
  ): Promise<void> => {
    const name = newPasswordName(operationId);
    const password = await vault.unseal(trx, vmId, name);
    if (password === null) return;
    await vault.seal(trx, vmId, passwordName, password);
    await vault.forget(trx, vmId, name);
    const done = await findOperation(trx, operationId);
    for (const { operation_id, requested_at } of await findOpenAccessUpdates(trx, vmId)) {
      if (done !== undefined && requested_at < done.requested_at)
        await vault.forget(trx, vmId, newPasswordName(operation_id));
    }
  };

  const onVmEvent = async (trx: Trx, event: Event<VmEvent>): Promise<void> => {
    const { type, data } = event;
    switch (type) {
      case 'VmRequested':
      case 'VmPortReassigned':
        return enqueueCreation(trx, event, data);
      case 'VmStartRequested':
        return enqueueStart(trx, catalog.startVm, event, data);
      case 'VmRestartRequested':
        return enqueueStart(trx, catalog.restartVm, event, data);
      case 'VmStopRequested':
      case 'VmDestroyRequested': {
        const { host } = await requireVm(trx, data.vmId);
        const job = type === 'VmStopRequested' ? catalog.stopVm : catalog.destroyVm;
        return enqueue(trx, job, host, idsOf(event, data), data.at);
      }
      case 'ExecRequested': {
        const { host, epoch } = await requireVm(trx, data.vmId);
        const ids = idsOf(event, { ...data, epoch });
        return enqueue(trx, catalog.exec, host, { ...ids, timeoutSeconds: data.timeoutSeconds }, data.at);
      }
      case 'AccessUpdateRequested':
        return enqueueAccess(trx, event, data);
      case 'AccessUpdated':
      case 'VmPasswordChanged':
        return adoptPassword(trx, data);
      case 'OperationFailed':
        if (data.kind === 'access') await vault.forget(trx, data.vmId, newPasswordName(data.operationId));
        return;
      case 'OperationCancelled':
      case 'OperationTimedOut': {
        if (data.kind === 'access') await vault.forget(trx, data.vmId, newPasswordName(data.operationId));
        return enqueueCancellation(trx, (await requireVm(trx, data.vmId)).host, data);
      }
      case 'ExecCancelRequested':
        return enqueueCancellation(trx, (await requireVm(trx, data.vmId)).host, data);
      case 'VmDestroyed':
        return vault.destroyKey(trx, data.vmId);
      case 'VmCreated':
      case 'VmStarted':
      case 'VmRestarted':
      case 'VmStopped':
      case 'VmStopPlanned':
      case 'VmStartPlanned':
      case 'VmPlanDropped':
      case 'VmLeftStopped':
      case 'AccessUpdatePlanned':
      case 'ExecFinished':
      case 'VmExited':
      case 'VmRanOutOfMemory':
      case 'VmDiskRanLow':
      case 'VmDiskEased':
      case 'VmLost':
        return;
    }
  };

  const onImageEvent = async (trx: Trx, event: Event<ImageEvent>): Promise<void> => {
    const { type, data } = event;
    switch (type) {
      case 'ImageBuildRequested': {
        const { operationId, host } = data;
        const payload = { force: true, operationId, correlationId: event.metadata.correlationId };
        return enqueue(trx, catalog.buildImage, host, payload, data.at);
      }
      case 'ImageBuildCancelled':
      case 'ImageBuildTimedOut':
        return enqueueCancellation(trx, data.host, data);
      case 'ImageBuilt':
      case 'ImageBuildFailed':
        return;
    }
  };

  return async (trx, event) => {
    if (isVmEvent(event)) await onVmEvent(trx, event);
    else if (isImageEvent(event)) await onImageEvent(trx, event);
    else if (isLinkEvent(event) && event.type === 'LinkRequested') {
      const { operationId, at } = event.data;
      const payload = { operationId, correlationId: event.metadata.correlationId };
      await enqueue(trx, catalog.openTunnel, gatewayHost, payload, at);
    } else if (isStrayEvent(event) && event.type === 'StrayRemovalRequested') {
      const { operationId, host, strays, at } = event.data;
      const things = strays.map(({ reason: _told, ...thing }) => thing);
      const payload = { operationId, things, correlationId: event.metadata.correlationId };
      await enqueue(trx, catalog.removeStrays, host, payload, at);
    }
  };
};

type OperationIds = { operationId: string; vmId: string; epoch: number; correlationId: string };

const idsOf = (
  { metadata }: Event<DomainEvent>,
  { operationId, vmId, epoch }: { operationId: string; vmId: string; epoch: number },
): OperationIds => ({ operationId, vmId, epoch, correlationId: metadata.correlationId });
