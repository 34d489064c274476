import { restartButton } from '../texts/buttons.ts';
import { commandTexts } from '../texts/commands.ts';
import { chooseVm } from './choose-vm.ts';
import { defineCommand, optionalVmName } from './command.ts';
import { requestLifecycle } from './lifecycle.ts';

export const restart = defineCommand({
  name: 'restart',
  ...commandTexts.restart,
  access: 'user',
  arguments: optionalVmName,
  async run(conversation, name) {
    const vm = await chooseVm(conversation, name, {
      verb: 'restart',
      button: restartButton,
      suits: ({ status }) => status === 'running' || status === 'stopped',
    });
    if (vm !== undefined) await requestLifecycle(conversation, vm, 'restart');
  },
});
