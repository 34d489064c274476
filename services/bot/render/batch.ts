import { type Content, plain } from '../format/rich-text.ts';
import { findNames } from '../names.ts';
import { countPlannedOfBatch, findBatch, findVm, findVms } from '../queries.ts';
import type { OperationRow } from '../store/schema.ts';
import { confirmForceDestroyButton, dropForceDestroyButton } from '../texts/buttons.ts';
import { batchInWords, confirmForceDestroy } from '../texts/orders.ts';
import type { BatchView, ConfirmForceDestroyView } from '../view.ts';
import type { Rendering } from './rendering.ts';

/** Many VMs under one order, counted as they come to their ends. */
export const renderBatch = async (view: BatchView, { db }: Rendering): Promise<Content> => {
  const operations = await findBatch(db, view.batchId);
  const names = await findNames(db);
  const count = (status: OperationRow['status']) => operations.filter((one) => one.status === status).length;
  const failed = operations.filter(({ status }) => status === 'failed' || status === 'timed-out');
  return plain(
    batchInWords({
      what: view.what,
      who: view.by === null ? null : names(view.by),
      target: view.target === null ? null : names(view.target),
      open: count('open'),
      succeeded: count('succeeded'),
      cancelled: count('cancelled'),
      left: view.left ?? 0,
      planned: await countPlannedOfBatch(db, view.batchId),
      failed: await Promise.all(
        failed.map(async ({ vm_id, owner, status, reason_code, reason_detail, operation_id }) => ({
          name: (vm_id === null ? undefined : await findVm(db, vm_id))?.name ?? '',
          owner: names(owner),
          reasonCode: status === 'timed-out' ? 'docker-unreachable' : reason_code,
          reasonDetail: reason_detail,
          id: operation_id,
        })),
      ),
    }),
  );
};

export const renderConfirmForceDestroy = async (
  { question, target, vmIds, note }: ConfirmForceDestroyView,
  { db }: Rendering,
): Promise<Content> => {
  const names = await findNames(db);
  const vms = (await findVms(db)).filter(({ vm_id }) => vmIds.includes(vm_id));
  return plain(
    confirmForceDestroy(
      target === null ? null : names(target),
      vms.map(({ name, owner }) => ({ name, owner: names(owner) })),
      note,
    ),
    [[confirmForceDestroyButton(question)], [dropForceDestroyButton]],
  );
};
