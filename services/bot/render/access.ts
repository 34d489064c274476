import { type Content, plain } from '../format/rich-text.ts';
import { findOperationsOfUpdate, findVm } from '../queries.ts';
import type { VmOperationRow, VmRow } from '../store/schema.ts';
import { keysChanged, passwordChanged, passwordFailed, passwordPending } from '../texts/keys.ts';
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
  if (status === 'succeeded') {
    return plain(passwordChanged(vm.name, true, await accessTo(vm, rendering)), buttons);
  }
  return plain(passwordFailed(vm.name, { reasonCode, reasonDetail, reference: reference(id) }), buttons);
};

export const renderKeys = async (
  { change, key, correlationId, comingUp = [] }: KeysView,
  { db }: Rendering,
): Promise<Content> => {
  const operations = await findOperationsOfUpdate(db, correlationId, 'access');
  const updates = await Promise.all(
    operations.map(async ({ vm_id, status, reason_code, reason_detail }) => ({
      name: (vm_id === null ? undefined : await findVm(db, vm_id))?.name ?? '',
      status,
      reasonCode: reason_code,
      reasonDetail: reason_detail,
    })),
  );
  return plain(keysChanged(change, { ...key }, updates, comingUp));
};
