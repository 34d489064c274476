import type { Log } from '../../shared/log.ts';
import { commands } from './commands/index.ts';
import { type Access, mayUse, type Role } from './people.ts';
import type { Store } from './store/store.ts';
import type { Api } from './telegram/client.ts';
import { type Menu, registerMenu } from './telegram/menus.ts';

/**
 * The menus that Telegram shows: the users' commands for everybody, all commands in the administrators' chats. Which
 * chats have one of their own is kept, so that somebody who is no administrator any more loses it.
 */

type Dependencies = {
  api: Api;
  store: Pick<Store, 'db' | 'transaction'>;
  administrators: readonly number[];
  log: Log;
  signal: AbortSignal;
};

const commandsFor = (role: Role) =>
  commands
    .filter(({ access }: { access: Access }) => mayUse(role, access))
    .map(({ name, summary }) => ({ command: name, description: summary }));

export const createMenus = ({ api, store, administrators, log, signal }: Dependencies) => {
  const registering = { api, log, signal };
  const forUsers: Menu = { scope: { type: 'default' }, commands: commandsFor('user') };
  const ofChat = (chatId: number, menu: Menu['commands']): Menu => ({
    scope: { type: 'chat', chat_id: chatId },
    commands: menu,
  });

  const note = (userId: number, menu: 'administrator' | null): Promise<void> =>
    store.transaction(async (trx) => {
      await trx
        .insertInto('people')
        .values({ user_id: userId, first_name: '', username: null, menu, seen_at: new Date(0).toISOString() })
        .onConflict((conflict) => conflict.column('user_id').doUpdateSet({ menu }))
        .execute();
    });

  /** Noted first: a menu that Telegram has and nobody knows of would stay for ever. */
  const giveTo = async (userId: number): Promise<void> => {
    await note(userId, 'administrator');
    await registerMenu(registering, ofChat(userId, commandsFor('administrator')));
  };

  const takeFrom = async (userId: number): Promise<void> => {
    await registerMenu(registering, ofChat(userId, []));
    if (!signal.aborted) await note(userId, null);
  };

  const registerAll = async (): Promise<void> => {
    void registerMenu(registering, forUsers);
    const known = await store.db
      .selectFrom('people')
      .select('user_id')
      .where('menu', '=', 'administrator')
      .execute();
    const former = known.map(({ user_id }) => user_id).filter((userId) => !administrators.includes(userId));
    await Promise.all([...former.map(takeFrom), ...administrators.map(giveTo)]);
  };

  return {
    /** Brings Telegram in line with who is an administrator now. Goes on by itself; never throws. */
    register: (): void => {
      registerAll().catch((err) => log.warn({ err }, 'the command menus could not be looked after'));
    },
    /** An administrator who had never written had no chat to register a menu for. */
    onReachable: (userId: number): void => {
      if (!administrators.includes(userId)) return;
      void registerMenu(registering, ofChat(userId, commandsFor('administrator')));
    },
  };
};
