import type { Conversation } from '../conversation.ts';
import { plain } from '../format/rich-text.ts';
import type { VmRow } from '../store/schema.ts';
import { confirmDestroyButton, destroyButton, keepButton } from '../texts/buttons.ts';
import { commandTexts } from '../texts/commands.ts';
import { confirmDestroy } from '../texts/general.ts';
import { vmRefusal } from '../texts/refusals.ts';
import { chooseVm } from './choose-vm.ts';
import { defineCommand, optionalVmName } from './command.ts';

/** Nothing is destroyed by one touch: the question names the VM and expires. */
export const askBeforeDestroying = async (conversation: Conversation, vm: VmRow): Promise<void> => {
  if (vm.status === 'destroying' || vm.status === 'destroyed') {
    await conversation.reply(plain(vmRefusal('destroy', vm)));
    return;
  }
  await conversation.reply(
    plain(confirmDestroy(vm.name), [[confirmDestroyButton(vm, conversation.now)], [keepButton(vm)]]),
  );
};

export const destroy = defineCommand({
  name: 'destroy',
  ...commandTexts.destroy,
  access: 'user',
  arguments: optionalVmName,
  async run(conversation, name) {
    const vm = await chooseVm(conversation, name, {
      verb: 'destroy',
      button: destroyButton,
      suits: () => true,
    });
    if (vm !== undefined) await askBeforeDestroying(conversation, vm);
  },
});
