import type { Event } from '../../shared/event-store/schema.ts';
import type { ImageEvent } from '../../shared/image/image.ts';
import type { VmEvent } from '../../shared/vm/events.ts';
import { plain } from './format/rich-text.ts';
import { findNames } from './names.ts';
import { refreshBatch } from './orders.ts';
import { findOperation, findVm } from './queries.ts';
import {
  type DomainEvent,
  isImageEvent,
  isLinkEvent,
  isStrayEvent,
  isVmEvent,
} from './store/domain-event.ts';
import type { OperationRow } from './store/schema.ts';
import type { Trx } from './store/store.ts';
import { tellOfStrays } from './strays.ts';
import { post } from './telegram/messages.ts';
import { imageIsNew } from './texts/operations.ts';
import type { View } from './view.ts';

/**
 * Which events the chat hears of: an operation has one message, made when it is asked for and brought up to date
 * when it ends. Written in the transaction of the events, so that no end of an operation goes untold.
 */

export const operationMessageKey = (operationId: string): string => `op:${operationId}`;

/** Messages of changes of keys are found by what began them. */
export const keysMessageKey = (correlationId: string): string => `keys:${correlationId}`;

/** A change of keys that a VM has not taken by then is told by what the VM's next start brings. Milliseconds. */
const keysFollowed = 2 * 3_600_000;

/** The messages about changed keys in that owner's chat: they show what became of it in each VM. */
const showKeys = async (trx: Trx, { owner, requested_at }: OperationRow): Promise<void> => {
  const rows = await trx
    .selectFrom('messages')
    .select(['key', 'chat_id', 'view'])
    .where('chat_id', '=', owner)
    .where('key', 'like', `${keysMessageKey('')}%`)
    .where('created_at', '>', new Date(Date.parse(requested_at) - keysFollowed).toISOString())
    .execute();
  for (const { key, chat_id: chatId, view } of rows) {
    await post(trx, { key, chatId, view: JSON.parse(view), bump: true });
  }
};

const showOperation = async (trx: Trx, operationId: string): Promise<void> => {
  const operation = await findOperation(trx, operationId);
  if (operation === undefined) return;
  if (operation.batch_id !== null) await refreshBatch(trx, operation.batch_id);
  // Changed keys may have waited for whatever this was.
  if (operation.kind !== 'exec') await showKeys(trx, operation);
  // A change of keys has one message for all VMs, where somebody asked for it.
  if (operation.cause === 'keys') return;
  if (operation.chat === null) return;
  await post(trx, {
    key: operationMessageKey(operationId),
    chatId: operation.chat,
    view: { kind: 'operation', operationId },
    bump: true,
  });
};

const tellOwner = async (trx: Trx, event: Event<VmEvent>, view: View): Promise<void> => {
  const vm = await findVm(trx, event.data.vmId);
  if (vm === undefined) return;
  await post(trx, { key: `event:${event.position}`, chatId: vm.owner, view });
};

const onVmEvent = async (trx: Trx, event: Event<VmEvent>): Promise<void> => {
  switch (event.type) {
    case 'VmRequested':
    case 'VmStartRequested':
    case 'VmRestartRequested':
    case 'VmStopRequested':
    case 'VmDestroyRequested':
    case 'AccessUpdateRequested':
    case 'ExecRequested':
    case 'ExecCancelRequested':
    case 'VmCreated':
    case 'VmStarted':
    case 'VmRestarted':
    case 'VmStopped':
    case 'VmDestroyed':
    case 'AccessUpdated':
    case 'ExecFinished':
    case 'OperationFailed':
    case 'OperationCancelled':
    case 'OperationTimedOut':
      return showOperation(trx, event.data.operationId);
    case 'VmStopPlanned':
    case 'VmStartPlanned':
    case 'VmPlanDropped': {
      const { batchId } = event.data.order;
      return batchId === null ? undefined : refreshBatch(trx, batchId);
    }
    case 'VmExited': {
      const { vmId, cause, exitCode } = event.data;
      // The message of its start, which follows, says that the host was restarted.
      if (cause === 'host-restarted') return;
      return tellOwner(trx, event, { kind: 'vm-event', vmId, event: 'exited', cause, exitCode });
    }
    case 'VmRanOutOfMemory':
      return tellOwner(trx, event, { kind: 'vm-event', vmId: event.data.vmId, event: 'out-of-memory' });
    case 'VmDiskRanLow': {
      const { vmId, usedBytes } = event.data;
      return tellOwner(trx, event, { kind: 'vm-event', vmId, event: 'disk-low', usedBytes });
    }
    case 'VmLeftStopped': {
      const { vmId, order } = event.data;
      // Somebody taken off the list reads that in a message of its own.
      if (order.reason !== 'administrator') return;
      const { by, note } = order;
      return tellOwner(trx, event, { kind: 'vm-event', vmId, event: 'left-stopped', by, note });
    }
    case 'VmLost':
      return tellOwner(trx, event, { kind: 'vm-event', vmId: event.data.vmId, event: 'lost' });
    case 'VmPortReassigned':
    case 'AccessUpdatePlanned':
    case 'VmPasswordChanged':
    case 'VmDiskEased':
      return;
  }
};

/** Whoever asked for a build has its message; the other administrators hear when there is a new image. */
const tellOfImage = async (
  trx: Trx,
  event: Event<Extract<ImageEvent, { type: 'ImageBuilt' }>>,
  administrators: readonly number[],
): Promise<void> => {
  const { operationId, host, asked } = event.data;
  const operation = asked ? await findOperation(trx, operationId) : undefined;
  const names = await findNames(trx);
  const by = operation === undefined ? null : names(operation.owner);
  const content = plain(imageIsNew(host, by));
  for (const chatId of administrators) {
    if (chatId === operation?.chat) continue;
    await post(trx, { key: `event:${event.position}:${chatId}`, chatId, view: { kind: 'content', content } });
  }
};

export const createNotifications =
  (administrators: readonly number[]) =>
  async (trx: Trx, event: Event<DomainEvent>): Promise<void> => {
    if (isVmEvent(event)) await onVmEvent(trx, event);
    else if (isLinkEvent(event)) await showOperation(trx, event.data.operationId);
    else if (isStrayEvent(event)) {
      if ('operationId' in event.data) await showOperation(trx, event.data.operationId);
      await tellOfStrays(trx, event, administrators);
    } else if (isImageEvent(event)) {
      await showOperation(trx, event.data.operationId);
      if (event.type === 'ImageBuilt') await tellOfImage(trx, event, administrators);
    }
  };
