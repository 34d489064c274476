import { IllegalStateError } from '../../../shared/decider.ts';
import type { Conversation } from '../conversation.ts';
import { plain } from '../format/rich-text.ts';
import type { VmRow } from '../store/schema.ts';
import { vmButtons } from '../texts/buttons.ts';
import { type VmVerb, vmRefusal } from '../texts/refusals.ts';
import { refuseDuringMaintenance } from './maintenance-rule.ts';

/** Starting, stopping, restarting and destroying, the same for a command and for a button. */

const commandTypes = {
  start: 'StartVm',
  stop: 'StopVm',
  restart: 'RestartVm',
  destroy: 'DestroyVm',
} as const;

export type LifecycleVerb = keyof typeof commandTypes;

/** Asks for the operation; its message in the chat follows from the event. A refusal is answered with the next steps. */
export const requestLifecycle = async (
  conversation: Conversation,
  vm: VmRow,
  verb: LifecycleVerb,
): Promise<void> => {
  const brings = verb === 'start' || verb === 'restart';
  if (brings && (await refuseDuringMaintenance(conversation))) return;
  await answerRefusal(conversation, vm, verb, async () => {
    await conversation.handleVm(vm.vm_id, {
      type: commandTypes[verb],
      data: { operationId: conversation.newId(), vmId: vm.vm_id, at: conversation.now.toISOString() },
    });
  });
};

/** Turns a broken rule into the sentence that explains the VM's state. */
export const answerRefusal = async (
  conversation: Conversation,
  vm: VmRow,
  verb: VmVerb,
  act: () => Promise<void>,
): Promise<void> => {
  try {
    await act();
  } catch (error) {
    if (!(error instanceof IllegalStateError)) throw error;
    await conversation.reply(plain(vmRefusal(verb, vm), vmButtons(vm)));
  }
};
