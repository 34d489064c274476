import { askAccess, grant, refuse } from './access.ts';
import {
  confirmForceDestroy,
  dropForceDestroy,
  newPassword,
  olderAudit,
  olderHistory,
  people,
  removeKey,
  vmList,
} from './administration.ts';
import type { ButtonAction } from './button.ts';
import { cancelOperation } from './cancel.ts';
import { confirmDestroy, destroy, keep } from './destroy.ts';
import { execOn } from './exec-on.ts';
import { create, help } from './general.ts';
import { confirmRemoveStrays, keepStrays, removeStray, showStrays } from './strays.ts';
import { closeTerminals, terminal } from './terminal.ts';
import { restart, start, status, stop } from './vm.ts';

/** Every button's action. */
export const actions: readonly ButtonAction[] = [
  start,
  stop,
  restart,
  status,
  destroy,
  confirmDestroy,
  keep,
  cancelOperation,
  execOn,
  create,
  help,
  askAccess,
  grant,
  refuse,
  newPassword,
  removeKey,
  olderHistory,
  olderAudit,
  vmList,
  people,
  confirmForceDestroy,
  dropForceDestroy,
  terminal,
  closeTerminals,
  showStrays,
  removeStray,
  confirmRemoveStrays,
  keepStrays,
];

const byAction = new Map(actions.map((action) => [action.action, action]));
if (byAction.size !== actions.length) throw new Error('two buttons have the same action');

export const findAction = (action: string): ButtonAction | undefined => byAction.get(action);
