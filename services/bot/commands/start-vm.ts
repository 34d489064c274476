import { startButton } from '../texts/buttons.ts';
import { commandTexts } from '../texts/commands.ts';
import { chooseVm } from './choose-vm.ts';
import { defineCommand, optionalVmName } from './command.ts';
import { requestLifecycle } from './lifecycle.ts';

export const startVm = defineCommand({
  name: 'start_vm',
  ...commandTexts.startVm,
  access: 'user',
  arguments: optionalVmName,
  async run(conversation, name) {
    const vm = await chooseVm(conversation, name, {
      verb: 'start',
      button: startButton,
      suits: ({ status }) => status === 'stopped',
    });
    if (vm !== undefined) await requestLifecycle(conversation, vm, 'start');
  },
});
