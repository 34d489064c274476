import { stopButton } from '../texts/buttons.ts';
import { commandTexts } from '../texts/commands.ts';
import { chooseVm } from './choose-vm.ts';
import { defineCommand, optionalVmName } from './command.ts';
import { requestLifecycle } from './lifecycle.ts';

export const stop = defineCommand({
  name: 'stop',
  ...commandTexts.stop,
  access: 'user',
  arguments: optionalVmName,
  async run(conversation, name) {
    const vm = await chooseVm(conversation, name, {
      verb: 'stop',
      button: stopButton,
      suits: ({ status }) => status === 'running',
    });
    if (vm !== undefined) await requestLifecycle(conversation, vm, 'stop');
  },
});
