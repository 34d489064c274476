import type { Conversation } from '../conversation.ts';
import { plain } from '../format/rich-text.ts';
import { findVmsByOwner } from '../queries.ts';
import { createButton } from '../texts/buttons.ts';
import { commandTexts } from '../texts/commands.ts';
import { noVm, noVmCalled } from '../texts/refusals.ts';
import { defineCommand, optionalVmName } from './command.ts';

/** One message a VM, so that each has its own buttons; live figures are filled in as the host answers. */
export const showStatus = async (conversation: Conversation, vmIds: string[]): Promise<void> => {
  for (const vmId of vmIds) conversation.measure(vmId, await conversation.show({ kind: 'status', vmId }));
};

export const status = defineCommand({
  name: 'status',
  ...commandTexts.status,
  access: 'user',
  arguments: optionalVmName,
  async run(conversation, name) {
    const vms = await findVmsByOwner(conversation.trx, conversation.person.id);
    const shown = name === undefined ? vms : vms.filter((vm) => vm.name === name);
    if (shown.length > 0) {
      await showStatus(
        conversation,
        shown.map((vm) => vm.vm_id),
      );
      return;
    }
    const names = vms.map((vm) => vm.name);
    await conversation.reply(
      name === undefined ? plain(noVm, [[createButton]]) : plain(noVmCalled(name, names)),
    );
  },
});
