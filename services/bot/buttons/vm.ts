import { requestLifecycle } from '../commands/lifecycle.ts';
import { showStatus } from '../commands/status.ts';
import { type ButtonAction, pressedVm } from './button.ts';

const lifecycleButton = (verb: 'start' | 'stop' | 'restart'): ButtonAction => ({
  action: verb,
  access: 'user',
  async run(conversation, args) {
    const vm = await pressedVm(conversation, args);
    if (vm !== undefined) await requestLifecycle(conversation, vm, verb);
  },
});

export const start = lifecycleButton('start');
export const stop = lifecycleButton('stop');
export const restart = lifecycleButton('restart');

export const status: ButtonAction = {
  action: 'status',
  access: 'user',
  async run(conversation, args) {
    const vm = await pressedVm(conversation, args, { anyEpoch: true });
    if (vm !== undefined) await showStatus(conversation, [vm.vm_id]);
  },
};
