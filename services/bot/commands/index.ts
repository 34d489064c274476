import { allowUserCommand } from './allow-user.ts';
import { cancel } from './cancel.ts';
import type { Command } from './command.ts';
import { create } from './create.ts';
import { destroy } from './destroy.ts';
import { exec } from './exec.ts';
import { helpCommands } from './help.ts';
import { listAllowed } from './list-allowed.ts';
import { plans } from './plans.ts';
import { restart } from './restart.ts';
import { startVm } from './start-vm.ts';
import { status } from './status.ts';
import { stop } from './stop.ts';

/** Every command, in the order in which help and Telegram's menu show them. A new command is a file and a line here. */
export const commands: readonly Command[] = [
  ...helpCommands(() => commands),
  create,
  status,
  exec,
  startVm,
  stop,
  restart,
  destroy,
  cancel,
  plans,
  allowUserCommand,
  listAllowed,
];

const byName = new Map(commands.map((command) => [command.name, command]));
if (byName.size !== commands.length) throw new Error('two commands have the same name');

export const findCommand = (name: string): Command | undefined => byName.get(name);
