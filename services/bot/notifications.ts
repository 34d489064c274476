import type { Event } from '../../shared/event-store/schema.ts';
import type { VmEvent } from '../../shared/vm/events.ts';
import { findOperation, findVm } from './queries.ts';
import type { DomainEvent } from './store/domain-event.ts';
import type { Trx } from './store/store.ts';
import { post } from './telegram/messages.ts';
import type { View } from './view.ts';

/**
 * Which events the chat hears of: an operation has one message, made when it is asked for and brought up to date
 * when it ends. Written in the transaction of the events, so that no end of an operation goes untold.
 */

export const operationMessageKey = (operationId: string): string => `op:${operationId}`;

const showOperation = async (trx: Trx, operationId: string): Promise<void> => {
  const operation = await findOperation(trx, operationId);
  if (operation === undefined || operation.chat === null) return;
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

export const notifications = async (trx: Trx, event: Event<DomainEvent>): Promise<void> => {
  switch (event.type) {
    case 'VmRequested':
    case 'VmStartRequested':
    case 'VmRestartRequested':
    case 'VmStopRequested':
    case 'VmDestroyRequested':
    case 'ExecRequested':
    case 'ExecCancelRequested':
    case 'VmCreated':
    case 'VmStarted':
    case 'VmRestarted':
    case 'VmStopped':
    case 'VmDestroyed':
    case 'ExecFinished':
    case 'OperationFailed':
    case 'OperationCancelled':
    case 'OperationTimedOut':
      return showOperation(trx, event.data.operationId);
    case 'VmExited': {
      const { vmId, cause, exitCode } = event.data;
      return tellOwner(trx, event, { kind: 'vm-event', vmId, event: 'exited', cause, exitCode });
    }
    case 'VmLost':
      return tellOwner(trx, event, { kind: 'vm-event', vmId: event.data.vmId, event: 'lost' });
    case 'VmPortReassigned':
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
