import { setTimeout as pause } from 'node:timers/promises';
import type { Log } from '../../../shared/log.ts';
import type { Api } from './client.ts';
import { readRefusal } from './refusals.ts';

/** The command menus of Telegram: one by default, others for single chats. */

export type MenuCommand = { command: string; description: string };
export type Menu = {
  scope: { type: 'default' } | { type: 'chat'; chat_id: number };
  commands: MenuCommand[];
};

const pauses = [1_000, 5_000, 30_000, 120_000];

const register = async (api: Api, { scope, commands }: Menu): Promise<void> => {
  const known = await api.call<MenuCommand[]>('getMyCommands', { scope });
  if (JSON.stringify(known) !== JSON.stringify(commands))
    await api.call('setMyCommands', { scope, commands });
};

/** Registers a menu, with patience. A chat that does not exist yet has none: it is told when the person first writes. */
export const registerMenu = async (
  { api, log, signal }: { api: Api; log: Log; signal: AbortSignal },
  menu: Menu,
): Promise<void> => {
  for (const delay of [0, ...pauses]) {
    try {
      if (delay > 0) await pause(delay, undefined, { signal });
      await register(api, menu);
      return;
    } catch (error) {
      if (signal.aborted) return;
      const refusal = readRefusal(error);
      log.info({ refusal, scope: menu.scope.type }, 'a command menu could not be registered');
      if (refusal.kind === 'rejected' || refusal.kind === 'blocked') return;
    }
  }
};
