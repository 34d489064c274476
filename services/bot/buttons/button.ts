import type { Conversation } from '../conversation.ts';
import type { Access } from '../people.ts';
import { findVm } from '../queries.ts';
import type { VmRow } from '../store/schema.ts';
import { buttonNotYours, buttonUnknown, movedOn } from '../texts/refusals.ts';

/**
 * What happens when a button is pressed. Like commands, buttons are authorised when they are pressed, not when
 * they are shown: callback data can be made up by anybody who may write to the bot.
 */
export type ButtonAction = {
  action: string;
  access: Access;
  run(conversation: Conversation, args: string[]): Promise<void>;
};

/** The person's own VM, as it stood when the button was made; otherwise says what is so and gives undefined. */
export const pressedVm = async (
  conversation: Conversation,
  [vmId, epoch]: string[],
  { anyEpoch = false } = {},
): Promise<VmRow | undefined> => {
  const vm = vmId === undefined ? undefined : await findVm(conversation.trx, vmId);
  if (vm === undefined) {
    conversation.toast(buttonUnknown, true);
    return undefined;
  }
  if (vm.owner !== conversation.person.id) {
    conversation.toast(buttonNotYours, true);
    return undefined;
  }
  if (!anyEpoch && String(vm.epoch) !== epoch) {
    conversation.toast(movedOn(vm), true);
    return undefined;
  }
  return vm;
};
