import { IllegalStateError } from '../../../shared/decider.ts';
import type { Conversation } from '../conversation.ts';
import { plain } from '../format/rich-text.ts';
import { findOpenOperationsByOwner, findVmsByOwner } from '../queries.ts';
import { isVmOperation, type OperationRow } from '../store/schema.ts';
import { cancelThisButton } from '../texts/buttons.ts';
import { commandTexts } from '../texts/commands.ts';
import { operationInWords, whichToCancel } from '../texts/general.ts';
import { cancelledAlready, notCancellable, nothingToCancel, operationEnded } from '../texts/refusals.ts';
import { defineCommand, noArguments } from './command.ts';

const cancelOf = (conversation: Conversation, operation: OperationRow): Promise<readonly unknown[]> => {
  const { operation_id: operationId, host } = operation;
  const at = conversation.now.toISOString();
  if (operation.kind === 'link' || operation.kind === 'remove-strays')
    throw new IllegalStateError('not-cancellable', 'it comes to its end by itself');
  if (!isVmOperation(operation)) {
    return conversation.handleImage(host, { type: 'CancelImageBuild', data: { operationId, host, at } });
  }
  const { vm_id: vmId } = operation;
  const data = { operationId, vmId, undoOperationId: conversation.newId(), at };
  return conversation.handleVm(vmId, { type: 'CancelOperation', data }).then(({ events }) => events);
};

/** Cancels one operation; what was half done is undone by an operation of its own. False: the person was told why not. */
export const requestCancel = async (
  conversation: Conversation,
  operation: OperationRow,
): Promise<boolean> => {
  try {
    const events = await cancelOf(conversation, operation);
    if (events.length === 0) await conversation.reply(plain(cancelledAlready));
    return events.length > 0;
  } catch (error) {
    if (!(error instanceof IllegalStateError)) throw error;
    await conversation.reply(plain(error.code === 'not-cancellable' ? notCancellable : operationEnded));
    return false;
  }
};

/** A stop or a removal on its way, and a change of access, are not called back. */
const isCancellable = ({ kind, cancelling }: OperationRow): boolean =>
  cancelling === 0 && ['create', 'start', 'restart', 'exec', 'build-image'].includes(kind);

export const cancel = defineCommand({
  name: 'cancel',
  ...commandTexts.cancel,
  access: 'user',
  arguments: noArguments,
  async run(conversation) {
    const { trx, person } = conversation;
    const all = await findOpenOperationsByOwner(trx, person.id);
    const open = all.filter(isCancellable);
    const [only] = open;
    if (only === undefined) {
      const cancelling = all.some((operation) => operation.cancelling === 1);
      const words = all.length === 0 ? nothingToCancel : cancelling ? cancelledAlready : notCancellable;
      await conversation.reply(plain(words));
      return;
    }
    if (open.length === 1) {
      await requestCancel(conversation, only);
      return;
    }
    const vms = await findVmsByOwner(trx, person.id);
    const nameOf = (vmId: string | null) => vms.find((vm) => vm.vm_id === vmId)?.name ?? '';
    await conversation.reply(
      plain(
        whichToCancel,
        open.map((operation) => [
          cancelThisButton(operation.operation_id, operationInWords(operation.kind, nameOf(operation.vm_id))),
        ]),
      ),
    );
  },
});
