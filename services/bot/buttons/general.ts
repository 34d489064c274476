import { requestVm } from '../commands/create.ts';
import { showHelp } from '../commands/help.ts';
import { commands } from '../commands/index.ts';
import type { ButtonAction } from './button.ts';

export const create: ButtonAction = {
  action: 'create',
  access: 'user',
  run: (conversation) => requestVm(conversation, undefined),
};

export const help: ButtonAction = {
  action: 'help',
  access: 'anybody',
  run: showHelp(() => commands),
};
