import type { BotConfig, Db } from './conversation.ts';
import type { Sender } from './interpret.ts';
import { findUser } from './queries.ts';

/** Who somebody is to Berth. Authorisation is decided here alone, for every command and every button. */

export type Role = 'administrator' | 'user' | 'asking' | 'removed' | 'stranger';
export type Person = Sender & { role: Role };
export type Access = 'anybody' | 'user' | 'administrator';

const roles: Record<string, Role> = { allowed: 'user', asking: 'asking', removed: 'removed' };

export const identify = async (db: Db, config: BotConfig, sender: Sender): Promise<Person> => {
  if (config.ADMIN_USER_ID.includes(sender.id)) return { ...sender, role: 'administrator' };
  const known = await findUser(db, sender.id);
  return { ...sender, role: roles[known?.status ?? ''] ?? 'stranger' };
};

export const mayUse = (role: Role, access: Access): boolean => {
  switch (access) {
    case 'anybody':
      return true;
    case 'user':
      return role === 'user' || role === 'administrator';
    case 'administrator':
      return role === 'administrator';
  }
};
