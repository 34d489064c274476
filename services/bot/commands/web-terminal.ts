import type { LinkPurpose } from '../../../shared/link/link.ts';
import type { Conversation } from '../conversation.ts';
import { plain } from '../format/rich-text.ts';
import { countOpenOperations } from '../queries.ts';
import type { VmRow } from '../store/schema.ts';
import { terminalButton, vmButtons } from '../texts/buttons.ts';
import { commandTexts } from '../texts/commands.ts';
import { tooManyLinks } from '../texts/links.ts';
import { vmRefusal } from '../texts/refusals.ts';
import { chooseVm } from './choose-vm.ts';
import { defineCommand, noArguments, optionalVmName } from './command.ts';

/** Links that one person may wait for at once. */
const mostOpenLinks = 3;

/** Asks for a one-time link; the message that it ends in follows from the event. */
const requestLink = async (
  conversation: Conversation,
  purpose: LinkPurpose,
  vmId: string | null,
): Promise<void> => {
  const { trx, person, now } = conversation;
  if ((await countOpenOperations(trx, person.id, 'link')) >= mostOpenLinks) {
    await conversation.reply(plain(tooManyLinks(mostOpenLinks)));
    return;
  }
  const operationId = conversation.newId();
  const data = { operationId, purpose, userId: person.id, vmId, at: now.toISOString() };
  await conversation.handleLink(operationId, { type: 'RequestLink', data });
  conversation.showTyping();
};

export const requestTerminal = async (conversation: Conversation, vm: VmRow): Promise<void> => {
  if (vm.status === 'running') await requestLink(conversation, 'terminal', vm.vm_id);
  else await conversation.reply(plain(vmRefusal('terminal', vm), vmButtons(vm)));
};

export const webTerminal = defineCommand({
  name: 'web_terminal',
  ...commandTexts.webTerminal,
  access: 'user',
  arguments: optionalVmName,
  async run(conversation, name) {
    const vm = await chooseVm(conversation, name, {
      verb: 'terminal',
      button: terminalButton,
      suits: ({ status }) => status === 'running',
    });
    if (vm !== undefined) await requestTerminal(conversation, vm);
  },
});

export const dashboard = defineCommand({
  name: 'dashboard',
  ...commandTexts.dashboard,
  access: 'administrator',
  arguments: noArguments,
  run: (conversation) => requestLink(conversation, 'dashboard', null),
});
