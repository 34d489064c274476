import { type Content, plain } from '../format/rich-text.ts';
import { findKeyUpdateSince, findOperationsOfUpdate, findVm } from '../queries.ts';
import type { OperationRow, VmOperationRow, VmRow } from '../store/schema.ts';
import {
  type KeyUpdate,
  keysChanged,
  passwordChanged,
  passwordFailed,
  passwordOvertaken,
  passwordPending,
} from '../texts/keys.ts';
import { reference } from '../texts/operations.ts';
import type { KeysView } from '../view.ts';
import { accessTo, buttonsFor, type Rendering } from './rendering.ts';

/** A new password on its way into a VM, and changed keys on their way into several. */

export const renderPasswordChange = async (
  operation: VmOperationRow,
  vm: VmRow,
  rendering: Rendering,
): Promise<Content> => {
  const { status, reason_code: reasonCode, reason_detail: reasonDetail, operation_id: id } = operation;
  if (status === 'open') return plain(passwordPending(vm.name));
  const buttons = await buttonsFor(vm, rendering);
  // Only a removal of the VM calls it off.
  if (status === 'cancelled') return plain(passwordOvertaken(vm.name));
  if (status === 'succeeded') {
    return plain(passwordChanged(vm.name, true, await accessTo(vm, rendering)), buttons);
  }
  const code = status === 'timed-out' ? 'docker-unreachable' : reasonCode;
  return plain(
    passwordFailed(vm.name, { reasonCode: code, reasonDetail, reference: reference(id) }),
    buttons,
  );
};

const updateOf = (
  { name, status: vmStatus }: VmRow,
  operation: Pick<OperationRow, 'status' | 'reason_code' | 'reason_detail'> | undefined,
): KeyUpdate => {
  const comesUp = vmStatus === 'creating' || vmStatus === 'starting';
  const reasons = {
    reasonCode: operation?.reason_code ?? null,
    reasonDetail: operation?.reason_detail ?? null,
  };
  if (['destroying', 'destroyed', 'failed', 'lost'].includes(vmStatus))
    return { name, status: 'gone', ...reasons };
  return { name, status: operation?.status ?? (comesUp ? 'comes-up' : 'at-start'), ...reasons };
};

export const renderKeys = async (
  { change, key, correlationId, comingUp, at }: KeysView,
  { db }: Rendering,
): Promise<Content> => {
  const updates: KeyUpdate[] = [];
  for (const operation of await findOperationsOfUpdate(db, correlationId, 'access')) {
    const vm = operation.vm_id === null ? undefined : await findVm(db, operation.vm_id);
    if (vm !== undefined) updates.push(updateOf(vm, operation));
  }
  for (const vmId of comingUp) {
    const vm = await findVm(db, vmId);
    if (vm !== undefined) updates.push(updateOf(vm, await findKeyUpdateSince(db, vmId, at)));
  }
  return plain(keysChanged(change, { ...key }, updates));
};
