import { IllegalStateError } from '../../../shared/decider.ts';
import type { Conversation } from '../conversation.ts';
import { plain } from '../format/rich-text.ts';
import { findOpenOperationsByOwner, findVmsByOwner } from '../queries.ts';
import { cancelButton } from '../texts/buttons.ts';
import { operationInWords, whichToCancel } from '../texts/general.ts';
import { cancelledAlready, notCancellable, nothingToCancel, operationEnded } from '../texts/refusals.ts';
import { defineCommand, noArguments } from './command.ts';

/** Cancels one operation; what was half done is undone by an operation of its own. */
export const requestCancel = async (
  conversation: Conversation,
  operation: { operation_id: string; vm_id: string },
): Promise<void> => {
  try {
    const { events } = await conversation.handleVm(operation.vm_id, {
      type: 'CancelOperation',
      data: {
        operationId: operation.operation_id,
        vmId: operation.vm_id,
        undoOperationId: conversation.newId(),
        at: conversation.now.toISOString(),
      },
    });
    if (events.length === 0) await conversation.reply(plain(cancelledAlready));
  } catch (error) {
    if (!(error instanceof IllegalStateError)) throw error;
    await conversation.reply(plain(error.code === 'not-cancellable' ? notCancellable : operationEnded));
  }
};

export const cancel = defineCommand({
  name: 'cancel',
  usage: '',
  summary: 'cancel what you have waiting or running',
  example: '/cancel',
  access: 'user',
  arguments: noArguments,
  async run(conversation) {
    const { trx, person } = conversation;
    const open = await findOpenOperationsByOwner(trx, person.id);
    const [only] = open;
    if (only === undefined) {
      await conversation.reply(plain(nothingToCancel));
      return;
    }
    if (open.length === 1) {
      await requestCancel(conversation, only);
      return;
    }
    const vms = await findVmsByOwner(trx, person.id);
    const nameOf = (vmId: string) => vms.find((vm) => vm.vm_id === vmId)?.name ?? vmId;
    await conversation.reply(
      plain(
        whichToCancel,
        open.map((operation) => [
          cancelButton(
            operation.operation_id,
            `✖️ ${operationInWords(operation.kind, nameOf(operation.vm_id))}`,
          ),
        ]),
      ),
    );
  },
});
