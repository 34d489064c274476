import { requestExec } from '../commands/exec.ts';
import { plain } from '../format/rich-text.ts';
import { findVmsByOwner } from '../queries.ts';
import { execInputName } from '../sealed-names.ts';
import { execChosen } from '../texts/general.ts';
import { inputGone } from '../texts/refusals.ts';
import { type ButtonAction, pressedVm } from './button.ts';

/** The answer to "which VM shall run it?": the waiting command runs once, on one of them. */
export const execOn: ButtonAction = {
  action: 'exec-on',
  access: 'user',
  async run(conversation, args) {
    const vm = await pressedVm(conversation, args, { anyEpoch: true });
    if (vm === undefined) return;
    const { trx, vault, person } = conversation;
    const name = execInputName(args[1] ?? '');
    const command = await vault.unseal(trx, vm.vm_id, name);
    if (command === null) {
      conversation.toast(inputGone, true);
      return;
    }
    for (const { vm_id } of await findVmsByOwner(trx, person.id)) await vault.forget(trx, vm_id, name);
    await conversation.replace(plain(execChosen(vm.name)));
    await requestExec(conversation, vm, command);
  },
};
