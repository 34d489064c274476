import { z } from 'zod';
import type { Conversation } from '../conversation.ts';
import { plain } from '../format/rich-text.ts';
import { countOpenOperations, findVmsByOwner } from '../queries.ts';
import { execCommandName, execInputName } from '../sealed-names.ts';
import type { VmRow } from '../store/schema.ts';
import { createButton, execOnButton } from '../texts/buttons.ts';
import { commandTexts } from '../texts/commands.ts';
import { execWaits } from '../texts/general.ts';
import { commandMissing, commandTooLong, noVm, nulByte, tooManyExecs } from '../texts/refusals.ts';
import { defineCommand } from './command.ts';
import { answerRefusal } from './lifecycle.ts';

/** `name: command` addresses one VM; everything else is the command itself, whatever it holds. */
const addressed = /^([a-z0-9-]{1,32}):[ \t\n]+([\s\S]+)$/i;

/** Commands that one person may have running at once, over all their VMs. */
export const mostOpenExecs = 8;

/** Runs a command as the VM's user. Its text is sealed: neither events nor jobs hold it. */
export const requestExec = async (conversation: Conversation, vm: VmRow, command: string): Promise<void> => {
  const { trx, vault, config, now, person } = conversation;
  // One person must not take the places of everybody else.
  if ((await countOpenOperations(trx, person.id, 'exec')) >= mostOpenExecs) {
    await conversation.reply(plain(tooManyExecs(mostOpenExecs)));
    return;
  }
  await answerRefusal(conversation, vm, 'exec', async () => {
    const operationId = conversation.newId();
    await vault.seal(trx, vm.vm_id, execCommandName(operationId), command);
    await conversation.handleVm(vm.vm_id, {
      type: 'RequestExec',
      data: { operationId, vmId: vm.vm_id, timeoutSeconds: config.EXEC_TIMEOUT, at: now.toISOString() },
    });
    conversation.showTyping();
  });
};

export const exec = defineCommand({
  name: 'exec',
  ...commandTexts.exec,
  access: 'user',
  arguments: z
    .string()
    .min(1, commandMissing)
    .max(3_500, commandTooLong)
    .refine((text) => !text.includes('\0'), nulByte),
  async run(conversation, text) {
    const { trx, vault, person } = conversation;
    const vms = await findVmsByOwner(trx, person.id);
    if (vms.length === 0) {
      await conversation.reply(plain(noVm, [[createButton]]));
      return;
    }
    const [, name, rest] = addressed.exec(text) ?? [];
    const named = vms.findLast((vm) => vm.name === name?.toLowerCase());
    if (named !== undefined && rest !== undefined) {
      await requestExec(conversation, named, rest);
      return;
    }
    const running = vms.filter((vm) => vm.status === 'running');
    if (vms.length === 1 || running.length === 1) {
      await requestExec(conversation, running[0] ?? vms[0]!, text);
      return;
    }
    const candidates = running.length > 0 ? running : vms;
    const inputId = conversation.newId();
    for (const vm of candidates) await vault.seal(trx, vm.vm_id, execInputName(inputId), text);
    await conversation.reply(
      plain(
        execWaits,
        candidates.map((vm) => [execOnButton(vm, inputId)]),
      ),
    );
  },
});
