import { requestTerminal } from '../commands/web-terminal.ts';
import { terminalsClosed } from '../texts/links.ts';
import { type ButtonAction, pressedVm } from './button.ts';

export const terminal: ButtonAction = {
  action: 'terminal',
  access: 'user',
  async run(conversation, args) {
    const vm = await pressedVm(conversation, args);
    if (vm !== undefined) await requestTerminal(conversation, vm);
  },
};

export const closeTerminals: ButtonAction = {
  action: 'close-terminals',
  access: 'user',
  async run(conversation, args) {
    const vm = await pressedVm(conversation, args, { anyEpoch: true });
    if (vm === undefined) return;
    conversation.closeTerminals(vm.vm_id);
    conversation.toast(terminalsClosed);
  },
};
