import { commands } from './commands/index.ts';
import { type Access, mayUse, type Role } from './people.ts';
import type { Menu } from './telegram/menus.ts';

/** The menus that Telegram shows: the users' commands for everybody, all commands in the administrators' chats. */

const commandsFor = (role: Role) =>
  commands
    .filter(({ access }: { access: Access }) => mayUse(role, access))
    .map(({ name, summary }) => ({ command: name, description: summary }));

export const menusFor = (administrators: readonly number[]) => {
  const users: Menu = { scope: { type: 'default' }, commands: commandsFor('user') };
  const ofAdministrators = new Map<number, Menu>(
    administrators.map((id) => [
      id,
      { scope: { type: 'chat', chat_id: id }, commands: commandsFor('administrator') },
    ]),
  );
  return {
    all: [users, ...ofAdministrators.values()],
    /** The menu of one chat, where it has one of its own. */
    of: (chatId: number): Menu | undefined => ofAdministrators.get(chatId),
  };
};
