import type { Db } from './conversation.ts';
import type { FmtString } from './format/rich-text.ts';
import { personInWords } from './texts/general.ts';

/** How people are called, for those who read of others. */

export type Names = (userId: number) => FmtString;

type Known = { firstName: string; username: string | null };

/** Everybody who ever wrote, and those whom an administrator gave a user name. */
export const findNames = async (db: Db): Promise<Names> => {
  const known = new Map<number, Known>();
  for (const user of await db.selectFrom('users').select(['user_id', 'username', 'name']).execute()) {
    known.set(user.user_id, { firstName: user.name ?? '', username: user.username });
  }
  for (const person of await db
    .selectFrom('people')
    .select(['user_id', 'username', 'first_name'])
    .execute()) {
    known.set(person.user_id, { firstName: person.first_name, username: person.username });
  }
  return (userId) => personInWords(userId, known.get(userId) ?? null);
};

/** The id of somebody given by id or by user name; null where nobody is called so. */
export const findUserId = async (db: Db, text: string): Promise<number | null> => {
  if (/^[1-9]\d{0,15}$/.test(text)) return Number(text);
  const username = text.replace(/^@/, '').toLowerCase();
  for (const table of ['people', 'users'] as const) {
    const found = await db
      .selectFrom(table)
      .select('user_id')
      .where(({ fn }) => fn<string>('lower', ['username']), '=', username)
      .executeTakeFirst();
    if (found !== undefined) return found.user_id;
  }
  return null;
};
