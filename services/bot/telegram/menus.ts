import { setTimeout as pause } from 'node:timers/promises';
import type { Log } from '../../../shared/log.ts';
import type { Api } from './client.ts';
import { readRefusal } from './refusals.ts';

/** The command menus of Telegram: one by default, others for single chats. */

export type MenuCommand = { command: string; description: string };
/** Without commands: the scope shall have no menu of its own. */
export type Menu = {
  scope: { type: 'default' } | { type: 'chat'; chat_id: number };
  commands: MenuCommand[];
};

type Dependencies = { api: Api; log: Log; signal: AbortSignal };
type Registration = { wanted: string; done: Promise<void> };

const firstPause = 1_000;
const longestPause = 300_000;

/** What each bot has registered, or is about to, by scope: a menu is asked for whenever its person writes. */
const registrations = new WeakMap<Api, Map<string, Registration>>();

const register = async (api: Api, { scope, commands }: Menu): Promise<void> => {
  const known = await api.call<MenuCommand[]>('getMyCommands', { scope });
  const isKnown =
    known.length === commands.length &&
    known.every(
      ({ command, description }, place) =>
        command === commands[place]!.command && description === commands[place]!.description,
    );
  if (isKnown) return;
  if (commands.length === 0) await api.call('deleteMyCommands', { scope });
  else await api.call('setMyCommands', { scope, commands });
};

/** True once it is registered; false where that is of no use, or no longer wanted. */
const registerPatiently = async (
  { api, log, signal }: Dependencies,
  menu: Menu,
  isWanted: () => boolean,
): Promise<boolean> => {
  for (let delay = firstPause; ; delay = Math.min(delay * 4, longestPause)) {
    try {
      if (!isWanted()) return false;
      await register(api, menu);
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      const refusal = readRefusal(error);
      log.info({ refusal, scope: menu.scope.type }, 'a command menu could not be registered');
      if (refusal.kind !== 'transient' && refusal.kind !== 'too-many') return false;
      const wait = Math.max(delay, refusal.kind === 'too-many' ? refusal.retryAfter : 0);
      await pause(wait, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return false;
    }
  }
};

/**
 * Registers a menu, with patience, and only where it differs from what Telegram has. A chat that does not exist yet
 * has no menu: ask again when the person first writes. Never throws.
 */
export const registerMenu = (dependencies: Dependencies, menu: Menu): Promise<void> => {
  const scopes = registrations.get(dependencies.api) ?? new Map<string, Registration>();
  registrations.set(dependencies.api, scopes);
  const scope = JSON.stringify(menu.scope);
  const wanted = JSON.stringify(menu.commands);
  const known = scopes.get(scope);
  if (known?.wanted === wanted) return known.done;
  const mine: Registration = {
    wanted,
    // One after another: the newest wish is the last to arrive.
    done: (known?.done ?? Promise.resolve())
      .then(() => registerPatiently(dependencies, menu, () => scopes.get(scope) === mine))
      .then((isRegistered) => {
        if (!isRegistered && scopes.get(scope) === mine) scopes.delete(scope);
      }),
  };
  scopes.set(scope, mine);
  return mine.done;
};
