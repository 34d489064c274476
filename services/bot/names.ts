import type { Db } from './conversation.ts';
import type { FmtString } from './format/rich-text.ts';
import { personInWords } from './texts/general.ts';
import { readUserId } from './user-id.ts';

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

/**
 * The ids of those who are meant by an id or a user name: none where nobody is called so, and several where a name is, or
 * was, that of more than one. Whoever acts on people by their names must not guess.
 */
export const findUserIds = async (db: Db, text: string): Promise<number[]> => {
  if (/^\d+$/.test(text)) return [readUserId(text)].filter((id) => id !== null);
  const username = text.replace(/^@/, '').toLowerCase();
  const found = new Set<number>();
  for (const table of ['people', 'users'] as const) {
    const rows = await db
      .selectFrom(table)
      .select('user_id')
      .where(({ fn }) => fn<string>('lower', ['username']), '=', username)
      .execute();
    for (const { user_id } of rows) found.add(user_id);
  }
  return [...found];
};
