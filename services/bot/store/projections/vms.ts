import type { Transaction } from 'kysely';
import type { Order } from '../../../../shared/vm/events.ts';
import { isVmEvent } from '../domain-event.ts';
import type { Database, VmRow } from '../schema.ts';
import type { Projection } from './projection.ts';

/** Every VM as it stands. */

const change = async (trx: Transaction<Database>, vmId: string, changes: Partial<VmRow>): Promise<void> => {
  await trx.updateTable('vms').set(changes).where('vm_id', '=', vmId).execute();
};

const begun = (
  status: string,
  { operationId, epoch, at }: { operationId: string; epoch: number; at: string },
) => ({
  status,
  epoch,
  operation_id: operationId,
  changed_at: at,
  paused: 0,
  planned_batch: null,
});

/** Of a VM that is stopped once more, because somebody started it past Berth, the earlier reason holds. */
const pausedBy = async (
  trx: Transaction<Database>,
  { vmId, order }: { vmId: string; order?: Order },
): Promise<number> => {
  if (order?.reason !== 'found-running') return order?.reason === 'maintenance' ? 1 : 0;
  const vm = await trx.selectFrom('vms').select('paused').where('vm_id', '=', vmId).executeTakeFirst();
  return vm?.paused ?? 0;
};

const settled = (status: string, at: string) => ({
  status,
  operation_id: null,
  changed_at: at,
  running_since: status === 'running' ? at : null,
  planned_batch: null,
  ...(status === 'stopped' ? {} : { paused: 0 }),
});

const afterSetback: Record<string, string> = {
  create: 'failed',
  start: 'stopped',
  restart: 'stopped',
  destroy: 'failed',
};

export const vms: Projection = {
  table: 'vms',
  async create(db) {
    await db.schema
      .createTable('vms')
      .ifNotExists()
      .addColumn('vm_id', 'text', (column) => column.primaryKey())
      .addColumn('owner', 'integer', (column) => column.notNull())
      .addColumn('name', 'text', (column) => column.notNull())
      .addColumn('host', 'text', (column) => column.notNull())
      .addColumn('status', 'text', (column) => column.notNull())
      .addColumn('plan', 'text')
      .addColumn('memory_bytes', 'integer', (column) => column.notNull())
      .addColumn('cpus', 'real', (column) => column.notNull())
      .addColumn('disk_bytes', 'integer', (column) => column.notNull())
      .addColumn('gpu', 'integer', (column) => column.notNull())
      .addColumn('sudo', 'integer', (column) => column.notNull())
      .addColumn('ssh_port', 'integer', (column) => column.notNull())
      .addColumn('epoch', 'integer', (column) => column.notNull())
      .addColumn('container_id', 'text')
      .addColumn('host_key_fingerprint', 'text')
      .addColumn('operation_id', 'text')
      .addColumn('paused', 'integer', (column) => column.notNull())
      .addColumn('planned_batch', 'text')
      .addColumn('disk_low', 'integer', (column) => column.notNull())
      .addColumn('requested_at', 'text', (column) => column.notNull())
      .addColumn('running_since', 'text')
      .addColumn('changed_at', 'text', (column) => column.notNull())
      .execute();
    await db.schema.createIndex('vms_owner').ifNotExists().on('vms').columns(['owner', 'status']).execute();
    await db.schema.createIndex('vms_port').ifNotExists().on('vms').columns(['host', 'ssh_port']).execute();
  },
  async apply(trx, event) {
    if (!isVmEvent(event)) return;
    const { type, data } = event;
    switch (type) {
      case 'VmRequested': {
        const { limits } = data;
        await trx
          .insertInto('vms')
          .values({
            vm_id: data.vmId,
            owner: data.owner,
            name: data.name,
            host: data.host,
            plan: data.plan,
            memory_bytes: limits.memoryBytes,
            cpus: limits.cpus,
            disk_bytes: limits.diskBytes,
            gpu: limits.gpu ? 1 : 0,
            sudo: limits.sudo ? 1 : 0,
            ssh_port: data.sshPort,
            container_id: null,
            host_key_fingerprint: null,
            requested_at: data.at,
            running_since: null,
            disk_low: 0,
            ...begun('creating', data),
          })
          .execute();
        return;
      }
      case 'VmPortReassigned':
        // The same creation goes on, and what was planned for its end with it.
        return change(trx, data.vmId, {
          status: 'creating',
          epoch: data.epoch,
          changed_at: data.at,
          ssh_port: data.sshPort,
        });
      case 'VmStartRequested':
      case 'VmRestartRequested':
        return change(trx, data.vmId, begun('starting', data));
      case 'VmStopRequested':
        return change(trx, data.vmId, {
          ...begun('stopping', data),
          paused: await pausedBy(trx, data),
          ...(data.order?.reason === 'disk-full' ? { disk_low: 1 } : {}),
        });
      case 'VmStopPlanned':
      case 'VmStartPlanned':
        return change(trx, data.vmId, { planned_batch: data.order.batchId });
      case 'VmPlanDropped':
        return change(trx, data.vmId, { planned_batch: null });
      case 'VmLeftStopped':
        return change(trx, data.vmId, { planned_batch: null, paused: 0 });
      case 'VmDestroyRequested':
        return change(trx, data.vmId, begun('destroying', data));
      case 'VmCreated':
        return change(trx, data.vmId, {
          ...settled('running', data.at),
          container_id: data.containerId,
          host_key_fingerprint: data.hostKeyFingerprint,
        });
      case 'VmStarted':
      case 'VmRestarted':
        return change(trx, data.vmId, settled('running', data.at));
      case 'VmStopped':
      case 'VmExited':
        return change(trx, data.vmId, settled('stopped', data.at));
      case 'VmDestroyed':
        return change(trx, data.vmId, settled('destroyed', data.at));
      case 'VmLost':
        return change(trx, data.vmId, settled('lost', data.at));
      case 'OperationFailed':
      case 'OperationCancelled':
      case 'OperationTimedOut': {
        if (data.kind === 'exec' || data.kind === 'access') return;
        // A stop that did not succeed leaves the VM running since when it ran.
        if (data.kind === 'stop') {
          return change(trx, data.vmId, {
            status: 'running',
            operation_id: null,
            changed_at: data.at,
            paused: 0,
            planned_batch: null,
          });
        }
        return change(trx, data.vmId, settled(afterSetback[data.kind]!, data.at));
      }
      case 'VmDiskRanLow':
        return change(trx, data.vmId, { disk_low: 1 });
      case 'VmDiskEased':
        return change(trx, data.vmId, { disk_low: 0 });
      case 'AccessUpdateRequested':
      case 'AccessUpdatePlanned':
      case 'AccessUpdated':
      case 'VmPasswordChanged':
      case 'VmRanOutOfMemory':
      case 'ExecRequested':
      case 'ExecCancelRequested':
      case 'ExecFinished':
        return;
    }
  },
};
