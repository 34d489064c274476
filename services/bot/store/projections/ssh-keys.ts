import type { UserEvent } from '../../../../shared/user/user.ts';
import { onlyFor, type Projection } from './projection.ts';

/** Everybody's public keys. */

type KeyEvent = Extract<UserEvent, { type: 'SshKeyAdded' | 'SshKeyRemoved' }>;

export const sshKeys: Projection = {
  table: 'ssh_keys',
  async create(db) {
    await db.schema
      .createTable('ssh_keys')
      .ifNotExists()
      .addColumn('user_id', 'integer', (column) => column.notNull())
      .addColumn('fingerprint', 'text', (column) => column.notNull())
      .addColumn('type', 'text', (column) => column.notNull())
      .addColumn('bits', 'integer', (column) => column.notNull())
      .addColumn('comment', 'text', (column) => column.notNull())
      .addColumn('line', 'text', (column) => column.notNull())
      .addColumn('added_at', 'text', (column) => column.notNull())
      .addPrimaryKeyConstraint('ssh_keys_key', ['user_id', 'fingerprint'])
      .execute();
  },
  apply: onlyFor<KeyEvent>({
    SshKeyAdded: async (trx, { data: { userId, key, at } }) => {
      await trx
        .insertInto('ssh_keys')
        .values({ user_id: userId, ...key, added_at: at })
        .execute();
    },
    SshKeyRemoved: async (trx, { data: { userId, fingerprint } }) => {
      await trx
        .deleteFrom('ssh_keys')
        .where('user_id', '=', userId)
        .where('fingerprint', '=', fingerprint)
        .execute();
    },
  }),
};
