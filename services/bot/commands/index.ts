import { adminInfo } from './admin-info.ts';
import { allowUserCommand } from './allow-user.ts';
import { cancel } from './cancel.ts';
import type { Command } from './command.ts';
import { configCpu, configGpu, configPlan, configRam } from './config.ts';
import { create } from './create.ts';
import { destroy } from './destroy.ts';
import { exec } from './exec.ts';
import { forceDestroy, forceStop } from './force.ts';
import { helpCommands } from './help.ts';
import { audit, history } from './history.ts';
import { listAllowed } from './list-allowed.ts';
import { maintenance } from './maintenance.ts';
import { password } from './password.ts';
import { plans } from './plans.ts';
import { rebuildImage } from './rebuild-image.ts';
import { removeUser } from './remove-user.ts';
import { restart } from './restart.ts';
import { sshKey } from './ssh-key.ts';
import { startVm } from './start-vm.ts';
import { status } from './status.ts';
import { stop } from './stop.ts';
import { dashboard, webTerminal } from './web-terminal.ts';

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
  webTerminal,
  sshKey,
  password,
  cancel,
  history,
  plans,
  adminInfo,
  allowUserCommand,
  removeUser,
  listAllowed,
  configGpu,
  configRam,
  configCpu,
  configPlan,
  maintenance,
  forceStop,
  forceDestroy,
  rebuildImage,
  dashboard,
  audit,
];

const byName = new Map(commands.map((command) => [command.name, command]));
if (byName.size !== commands.length) throw new Error('two commands have the same name');

export const findCommand = (name: string): Command | undefined => byName.get(name);
