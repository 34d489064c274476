import type { Transaction } from 'kysely';
import { gatewayHost } from '../../../../queues/catalog.ts';
import type { Event } from '../../../../shared/event-store/schema.ts';
import type { ImageEvent } from '../../../../shared/image/image.ts';
import type { LinkEvent } from '../../../../shared/link/link.ts';
import type { StrayEvent } from '../../../../shared/stray/stray.ts';
import type { OperationKind, Order, VmEvent } from '../../../../shared/vm/events.ts';
import { isImageEvent, isLinkEvent, isStrayEvent, isVmEvent } from '../domain-event.ts';
import type { Database, OperationRow, OperationStatus } from '../schema.ts';
import type { Projection } from './projection.ts';

/** Every operation: who asked, in which chat, how it ended. */

type Trx = Transaction<Database>;

type Begun = {
  operationId: string;
  at: string;
  order?: Order;
};
type Place = Pick<OperationRow, 'vm_id' | 'owner' | 'host' | 'epoch'>;

const insert = async (
  trx: Trx,
  kind: OperationRow['kind'],
  { data, metadata }: Pick<Event, 'metadata'> & { data: Begun },
  place: Place,
  own: Partial<Pick<OperationRow, 'timeout_seconds' | 'cause'>>,
): Promise<void> => {
  const { order } = data;
  await trx
    .insertInto('operations')
    .values({
      operation_id: data.operationId,
      kind,
      status: 'open',
      cancelling: 0,
      actor: metadata.actor,
      chat: metadata.chat,
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
      cause: null,
      link_origin: null,
      link_note: null,
      order_reason: order?.reason ?? null,
      order_by: order?.by ?? null,
      order_note: order?.note ?? null,
      order_used_bytes: order?.usedBytes ?? null,
      batch_id: order?.batchId ?? null,
      correlation_id: metadata.correlationId,
      ...place,
      ...own,
    })
    .execute();
};

const begin = async (
  trx: Trx,
  kind: OperationKind,
  event: Pick<Event, 'metadata'> & { data: Begun & { vmId: string } },
  own: Partial<Pick<OperationRow, 'timeout_seconds' | 'cause'>> = {},
): Promise<void> => {
  const vm = await trx
    .selectFrom('vms')
    .select(['vm_id', 'owner', 'host', 'epoch'])
    .where('vm_id', '=', event.data.vmId)
    .executeTakeFirstOrThrow();
  await insert(trx, kind, event, vm, own);
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

const applyVmEvent = async (trx: Trx, event: Event<VmEvent>): Promise<void> => {
  switch (event.type) {
    case 'VmRequested':
      return begin(trx, 'create', event);
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
      return begin(trx, 'start', event);
    case 'VmRestartRequested':
      return begin(trx, 'restart', event);
    case 'VmStopRequested':
      return begin(trx, 'stop', event);
    case 'VmDestroyRequested':
      return begin(trx, 'destroy', event);
    case 'ExecRequested':
      return begin(trx, 'exec', event, { timeout_seconds: event.data.timeoutSeconds });
    case 'AccessUpdateRequested':
      return begin(trx, 'access', event, { cause: event.data.cause });
    case 'ExecCancelRequested':
      return change(trx, event.data.operationId, { cancelling: 1 });
    case 'VmCreated':
    case 'VmStarted':
    case 'VmRestarted':
    case 'VmStopped':
    case 'VmDestroyed':
    case 'AccessUpdated':
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
    case 'VmStopPlanned':
    case 'VmStartPlanned':
    case 'VmPlanDropped':
    case 'VmLeftStopped':
    case 'AccessUpdatePlanned':
    case 'VmPasswordChanged':
    case 'VmExited':
    case 'VmRanOutOfMemory':
    case 'VmDiskRanLow':
    case 'VmDiskEased':
    case 'VmLost':
      return;
  }
};

const applyImageEvent = async (trx: Trx, event: Event<ImageEvent>): Promise<void> => {
  switch (event.type) {
    case 'ImageBuildRequested': {
      const { by, host } = event.data;
      return insert(trx, 'build-image', event, { vm_id: null, owner: by, host, epoch: 0 }, {});
    }
    case 'ImageBuilt':
      return event.data.asked ? end(trx, 'succeeded', event.data) : undefined;
    case 'ImageBuildFailed': {
      const { code, detail } = event.data.reason;
      return end(trx, 'failed', event.data, { reason_code: code, reason_detail: detail });
    }
    case 'ImageBuildCancelled':
      return end(trx, 'cancelled', event.data);
    case 'ImageBuildTimedOut':
      return end(trx, 'timed-out', event.data);
  }
};

const applyLinkEvent = async (trx: Trx, event: Event<LinkEvent>): Promise<void> => {
  switch (event.type) {
    case 'LinkRequested': {
      const { userId, vmId, purpose } = event.data;
      const place = { vm_id: vmId, owner: userId, host: gatewayHost, epoch: 0 };
      return insert(trx, 'link', event, place, { cause: purpose });
    }
    case 'LinkOffered':
      return end(trx, 'succeeded', event.data, {
        link_origin: event.data.origin,
        link_note: event.data.note,
      });
    case 'LinkFailed': {
      const { code, detail } = event.data.reason;
      return end(trx, 'failed', event.data, { reason_code: code, reason_detail: detail });
    }
    case 'LinkTimedOut':
      return end(trx, 'timed-out', event.data);
  }
};

const applyStrayEvent = async (trx: Trx, event: Event<StrayEvent>): Promise<void> => {
  switch (event.type) {
    case 'StrayRemovalRequested': {
      const { by, host } = event.data;
      return insert(trx, 'remove-strays', event, { vm_id: null, owner: by, host, epoch: 0 }, {});
    }
    case 'StraysRemoved':
      return end(trx, 'succeeded', event.data);
    case 'StrayRemovalFailed': {
      const { code, detail } = event.data.reason;
      return end(trx, 'failed', event.data, { reason_code: code, reason_detail: detail });
    }
    case 'StrayRemovalTimedOut':
      return end(trx, 'timed-out', event.data);
    case 'StraysFound':
    case 'StraysGone':
      return;
  }
};

/** Applied after `vms`: an operation takes owner, host and epoch from its VM. */
export const operations: Projection = {
  table: 'operations',
  async create(db) {
    await db.schema
      .createTable('operations')
      .ifNotExists()
      .addColumn('operation_id', 'text', (column) => column.primaryKey())
      .addColumn('vm_id', 'text')
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
      .addColumn('cause', 'text')
      .addColumn('link_origin', 'text')
      .addColumn('link_note', 'text')
      .addColumn('order_reason', 'text')
      .addColumn('order_by', 'integer')
      .addColumn('order_note', 'text')
      .addColumn('order_used_bytes', 'integer')
      .addColumn('batch_id', 'text')
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
    await db.schema
      .createIndex('operations_batch')
      .ifNotExists()
      .on('operations')
      .column('batch_id')
      .execute();
  },
  async apply(trx, event) {
    if (isVmEvent(event)) await applyVmEvent(trx, event);
    else if (isImageEvent(event)) await applyImageEvent(trx, event);
    else if (isLinkEvent(event)) await applyLinkEvent(trx, event);
    else if (isStrayEvent(event)) await applyStrayEvent(trx, event);
  },
};
