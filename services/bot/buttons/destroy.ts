import { askBeforeDestroying } from '../commands/destroy.ts';
import { requestLifecycle } from '../commands/lifecycle.ts';
import { plain } from '../format/rich-text.ts';
import { destroyConfirmed, kept } from '../texts/general.ts';
import { buttonExpired } from '../texts/refusals.ts';
import { type ButtonAction, pressedVm } from './button.ts';

export const destroy: ButtonAction = {
  action: 'destroy',
  access: 'user',
  async run(conversation, args) {
    const vm = await pressedVm(conversation, args);
    if (vm !== undefined) await askBeforeDestroying(conversation, vm);
  },
};

export const confirmDestroy: ButtonAction = {
  action: 'destroy-now',
  access: 'user',
  async run(conversation, args) {
    const vm = await pressedVm(conversation, args);
    if (vm === undefined) return;
    const expiresAt = Number.parseInt(args[2] ?? '', 36);
    if (!(conversation.now.getTime() < expiresAt)) {
      conversation.toast(buttonExpired, true);
      return;
    }
    await conversation.replace(plain(destroyConfirmed(vm.name)));
    await requestLifecycle(conversation, vm, 'destroy');
  },
};

export const keep: ButtonAction = {
  action: 'keep',
  access: 'user',
  async run(conversation, args) {
    const vm = await pressedVm(conversation, args);
    if (vm !== undefined) await conversation.replace(plain(kept(vm.name)));
  },
};
