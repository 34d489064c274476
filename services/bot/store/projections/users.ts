import type { Transaction } from 'kysely';
import type { UserEvent } from '../../../../shared/user/user.ts';
import type { Database, UserRow } from '../schema.ts';
import { onlyFor, type Projection } from './projection.ts';

/** Everybody who is or was on the list, or asked to be. */

const put = async (
  trx: Transaction<Database>,
  userId: number,
  changes: Partial<UserRow> & { changed_at: string },
) => {
  await trx
    .insertInto('users')
    .values({ user_id: userId, status: 'unknown', plan_id: null, username: null, name: null, ...changes })
    .onConflict((conflict) => conflict.column('user_id').doUpdateSet(changes))
    .execute();
};

const known = <Name extends string>(name: Name, value: string | null) =>
  (value === null ? {} : { [name]: value }) as Partial<Record<Name, string>>;

export const users: Projection = {
  table: 'users',
  async create(db) {
    await db.schema
      .createTable('users')
      .ifNotExists()
      .addColumn('user_id', 'integer', (column) => column.primaryKey())
      .addColumn('status', 'text', (column) => column.notNull())
      .addColumn('plan_id', 'text')
      .addColumn('username', 'text')
      .addColumn('name', 'text')
      .addColumn('changed_at', 'text', (column) => column.notNull())
      .execute();
  },
  apply: onlyFor<Exclude<UserEvent, { type: 'SshKeyAdded' | 'SshKeyRemoved' }>>({
    UserAllowed: (trx, { data }) =>
      put(trx, data.userId, {
        status: 'allowed',
        plan_id: data.planId,
        changed_at: data.at,
        ...known('username', data.username),
      }),
    UserRemoved: (trx, { data }) => put(trx, data.userId, { status: 'removed', changed_at: data.at }),
    AccessRequested: (trx, { data }) =>
      put(trx, data.userId, {
        status: 'asking',
        changed_at: data.at,
        ...known('username', data.username),
        ...known('name', data.name),
      }),
    AccessRefused: (trx, { data }) => put(trx, data.userId, { status: 'refused', changed_at: data.at }),
  }),
};
