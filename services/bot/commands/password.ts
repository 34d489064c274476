import { newPassword } from '../../../shared/secrets/password.ts';
import type { Conversation } from '../conversation.ts';
import { newPasswordName } from '../sealed-names.ts';
import type { VmRow } from '../store/schema.ts';
import { passwordButton } from '../texts/buttons.ts';
import { commandTexts } from '../texts/commands.ts';
import { chooseVm } from './choose-vm.ts';
import { defineCommand, optionalVmName } from './command.ts';
import { answerRefusal } from './lifecycle.ts';

/** Gives a VM a new password: at once where it runs, else from its next start on. */
export const changePassword = async (conversation: Conversation, vm: VmRow): Promise<void> =>
  answerRefusal(conversation, vm, 'password', async () => {
    const { trx, vault, now } = conversation;
    const { vm_id: vmId } = vm;
    const operationId = conversation.newId();
    // Sealed first: what follows from the event finds it there.
    await vault.seal(trx, vmId, newPasswordName(operationId), newPassword());
    const data = { operationId, vmId, at: now.toISOString() };
    const { events } = await conversation.handleVm(vmId, { type: 'ChangePassword', data });
    const isAtRest = events.some(({ type }) => type === 'VmPasswordChanged');
    if (isAtRest) await conversation.show({ kind: 'password', vmId });
    else conversation.showTyping();
  });

export const password = defineCommand({
  name: 'password',
  ...commandTexts.password,
  access: 'user',
  arguments: optionalVmName,
  async run(conversation, name) {
    const vm = await chooseVm(conversation, name, {
      verb: 'password',
      button: passwordButton,
      suits: ({ status }) => status === 'running' || status === 'stopped',
    });
    if (vm !== undefined) await changePassword(conversation, vm);
  },
});
