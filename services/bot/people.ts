import type { BotConfig, Db } from './conversation.ts';
import type { Sender } from './interpret.ts';
import { findPerson, findUser } from './queries.ts';
import type { Trx } from './store/store.ts';

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

/** How old what is known of somebody may be, in milliseconds, before it is written down again. */
const freshness = 24 * 3_600_000;

/** Keeps how somebody calls themselves, for those who read of them: whose VM it is, who stopped it. */
export const remember = async (trx: Trx, sender: Sender, now: Date): Promise<void> => {
  const known = await findPerson(trx, sender.id);
  const same = known?.first_name === sender.firstName && known.username === sender.username;
  if (same && now.getTime() - Date.parse(known.seen_at) < freshness) return;
  const row = { first_name: sender.firstName, username: sender.username, seen_at: now.toISOString() };
  await trx
    .insertInto('people')
    .values({ user_id: sender.id, menu: null, ...row })
    .onConflict((conflict) => conflict.column('user_id').doUpdateSet(row))
    .execute();
};
