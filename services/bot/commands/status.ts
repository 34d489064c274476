import type { Conversation } from '../conversation.ts';
import { plain } from '../format/rich-text.ts';
import { findVmsByOwner } from '../queries.ts';
import { createButton } from '../texts/buttons.ts';
import { commandTexts } from '../texts/commands.ts';
import { noVm, noVmCalled } from '../texts/refusals.ts';
import { defineCommand, optionalVmName } from './command.ts';

/** Cards that fit into one message, password and host key included. */
const perMessage = 8;

/**
 * One VM has a message of its own with all its buttons; several share one, so that all are there at once however slowly
 * Telegram takes messages. Live figures are filled in as the host answers.
 */
export const showStatus = async (conversation: Conversation, vmIds: readonly string[]): Promise<void> => {
  for (let start = 0; start < vmIds.length; start += perMessage) {
    const shown = vmIds.slice(start, start + perMessage);
    const [only] = shown;
    const key = await conversation.show(
      shown.length === 1 ? { kind: 'status', vmId: only! } : { kind: 'statuses', vmIds: shown },
    );
    for (const vmId of shown) conversation.measure(vmId, key);
  }
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
