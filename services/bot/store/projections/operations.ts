import type { Transaction } from 'kysely';
import type { Event } from '../../../../shared/event-store/schema.ts';
import type { OperationKind } from '../../../../shared/vm/events.ts';
import type { Database, OperationRow, OperationStatus } from '../schema.ts';
import type { Projection } from './projection.ts';

/** Every operation: who asked, in which chat, how it ended. */

type Trx = Transaction<Database>;

const begin = async (
  trx: Trx,
  kind: OperationKind,
  event: Event & { data: { operationId: string; vmId: string; at: string } },
  own: Partial<Pick<OperationRow, 'epoch' | 'timeout_seconds'>>,
): Promise<void> => {
  const { data, metadata } = event;
  const vm = await trx
    .selectFrom('vms')
    .select(['owner', 'host', 'epoch'])
    .where('vm_id', '=', data.vmId)
    .executeTakeFirstOrThrow();
  await trx
    .insertInto('operations')
    .values({
      operation_id: data.operationId,
      vm_id: data.vmId,
      kind,
      status: 'open',
      cancelling: 0,
      owner: vm.owner,
      actor: metadata.actor,
      chat: metadata.chat,
      host: vm.host,
      epoch: vm.epoch,
      attempt: 1,
      requested_at: data.at,
      ended_at: null,
      reason_code: null,
      reason_detail: null,
      exit_code: null,
      duration_ms: null,
      output_bytes: null,
      truncated: null,
      timeout_seconds: null,
      correlation_id: metadata.correlationId,
      ...own,
    })
    .execute();
};

const change = async (trx: Trx, operationId: string, changes: Partial<OperationRow>): Promise<void> => {
  await trx.updateTable('operations').set(changes).where('operation_id', '=', operationId).execute();
};

const end = (
  trx: Trx,
  status: OperationStatus,
  { operationId, at }: { operationId: string; at: string },
  result: Partial<OperationRow> = {},
): Promise<void> => change(trx, operationId, { status, ended_at: at, cancelling: 0, ...result });

/** Applied after `vms`: an operation takes owner and host from its VM. */
export const operations: Projection = {
  table: 'operations',
  async create(db) {
    await db.schema
      .createTable('operations')
      .ifNotExists()
      .addColumn('operation_id', 'text', (column) => column.primaryKey())
      .addColumn('vm_id', 'text', (column) => column.notNull())
      .addColumn('kind', 'text', (column) => column.notNull())
      .addColumn('status', 'text', (column) => column.notNull())
      .addColumn('cancelling', 'integer', (column) => column.notNull())
      .addColumn('owner', 'integer', (column) => column.notNull())
      .addColumn('actor', 'integer')
      .addColumn('chat', 'integer')
      .addColumn('host', 'text', (column) => column.notNull())
      .addColumn('epoch', 'integer', (column) => column.notNull())
      .addColumn('attempt', 'integer', (column) => column.notNull())
      .addColumn('requested_at', 'text', (column) => column.notNull())
      .addColumn('ended_at', 'text')
      .addColumn('reason_code', 'text')
      .addColumn('reason_detail', 'text')
      .addColumn('exit_code', 'integer')
      .addColumn('duration_ms', 'integer')
      .addColumn('output_bytes', 'integer')
      .addColumn('truncated', 'integer')
      .addColumn('timeout_seconds', 'integer')
      .addColumn('correlation_id', 'text', (column) => column.notNull())
      .execute();
    await db.schema
      .createIndex('operations_open')
      .ifNotExists()
      .on('operations')
      .columns(['status', 'requested_at'])
      .execute();
    await db.schema
      .createIndex('operations_vm')
      .ifNotExists()
      .on('operations')
      .columns(['vm_id', 'requested_at'])
      .execute();
  },
  async apply(trx, event) {
    switch (event.type) {
      case 'VmRequested':
        return begin(trx, 'create', event, { epoch: event.data.epoch });
      case 'VmPortReassigned': {
        const { operationId, epoch } = event.data;
        await trx
          .updateTable('operations')
          .set(({ eb }) => ({ attempt: eb('attempt', '+', 1), epoch }))
          .where('operation_id', '=', operationId)
          .execute();
        return;
      }
      case 'VmStartRequested':
        return begin(trx, 'start', event, { epoch: event.data.epoch });
      case 'VmRestartRequested':
        return begin(trx, 'restart', event, { epoch: event.data.epoch });
      case 'VmStopRequested':
        return begin(trx, 'stop', event, { epoch: event.data.epoch });
      case 'VmDestroyRequested':
        return begin(trx, 'destroy', event, { epoch: event.data.epoch });
      case 'ExecRequested':
        return begin(trx, 'exec', event, { timeout_seconds: event.data.timeoutSeconds });
      case 'ExecCancelRequested':
        return change(trx, event.data.operationId, { cancelling: 1 });
      case 'VmCreated':
      case 'VmStarted':
      case 'VmRestarted':
      case 'VmStopped':
      case 'VmDestroyed':
        return end(trx, 'succeeded', event.data);
      case 'ExecFinished': {
        const { exitCode, durationMs, outputBytes, truncated } = event.data;
        return end(trx, 'succeeded', event.data, {
          exit_code: exitCode,
          duration_ms: durationMs,
          output_bytes: outputBytes,
          truncated: truncated ? 1 : 0,
        });
      }
      case 'OperationFailed': {
        const { code, detail } = event.data.reason;
        return end(trx, 'failed', event.data, { reason_code: code, reason_detail: detail });
      }
      case 'OperationCancelled':
        return end(trx, 'cancelled', event.data);
      case 'OperationTimedOut':
        return end(trx, 'timed-out', event.data);
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
  },
};
