import { type Content, type FmtString, plain } from '../format/rich-text.ts';
import { wasStoppedAtOnce } from '../queries.ts';
import type { VmOperationRow, VmRow } from '../store/schema.ts';
import { cancelButton, createButton } from '../texts/buttons.ts';
import {
  created,
  destroyed,
  type OperationInWords,
  operationCancelled,
  operationFailed,
  operationOpen,
  operationTimedOut,
  orderDone,
  started,
  stopped,
  upForAMoment,
} from '../texts/operations.ts';
import { accessTo, buttonsFor, type Rendering, wordsFor } from './rendering.ts';

/** The one message of a lifecycle operation. */

const cancellable = ['create', 'start', 'restart'];

const isLeaving = ({ status }: VmRow): boolean => status === 'destroying' || status === 'destroyed';

const success = async (
  operation: OperationInWords,
  vm: VmRow,
  rendering: Rendering,
  atOnce: boolean,
): Promise<FmtString> => {
  const { kind, elapsedMs, order } = operation;
  if (atOnce) return upForAMoment(kind, vm.name);
  if (order !== null) {
    return orderDone(kind, vm.name, order, kind === 'start' ? await accessTo(vm, rendering) : null);
  }
  switch (kind) {
    case 'create':
      return created(vm.name, elapsedMs, await accessTo(vm, rendering));
    case 'start':
    case 'restart':
      return started(vm.name, elapsedMs, await accessTo(vm, rendering));
    case 'stop':
      return stopped(vm.name);
    default:
      return destroyed(vm.name);
  }
};

export const renderLifecycle = async (
  operation: VmOperationRow,
  vm: VmRow,
  rendering: Rendering,
): Promise<Content> => {
  const words = await wordsFor(operation, vm.name, rendering);
  const buttons = await buttonsFor(vm, rendering);
  switch (operation.status) {
    case 'open':
      return plain(
        operationOpen(words),
        cancellable.includes(operation.kind) ? [[cancelButton(operation.operation_id)]] : [],
      );
    case 'succeeded': {
      const next = operation.kind !== 'destroy' ? buttons : buttons.length > 0 ? [[createButton]] : [];
      // Ordered to stop as soon as it would be there: it was up for a moment only.
      const atOnce = await wasStoppedAtOnce(rendering.db, operation);
      return plain(await success(words, vm, rendering, atOnce), next);
    }
    case 'failed':
      return plain(operationFailed(words), buttons);
    case 'cancelled':
      return plain(operationCancelled(words, isLeaving(vm) && operation.kind !== 'create'));
    case 'timed-out':
      return plain(operationTimedOut(words), buttons);
  }
};
