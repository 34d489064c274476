import { type Kysely, sql } from 'kysely';
import { DEFAULT_MIGRATION_TABLE, type Migration, Migrator } from 'kysely/migration';
import type { Database } from './schema.ts';

/** How the database came to be as it is, step by step. A step that has been released never changes. */

const first: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable('events')
      .addColumn('position', 'integer', (column) => column.primaryKey().autoIncrement())
      .addColumn('stream', 'text', (column) => column.notNull())
      .addColumn('version', 'integer', (column) => column.notNull())
      .addColumn('type', 'text', (column) => column.notNull())
      .addColumn('schema_version', 'integer', (column) => column.notNull())
      .addColumn('data', 'text', (column) => column.notNull())
      .addColumn('actor', 'integer')
      .addColumn('chat', 'integer')
      .addColumn('correlation_id', 'text', (column) => column.notNull())
      .addColumn('causation_id', 'text')
      .addColumn('recorded_at', 'text', (column) => column.notNull())
      .addUniqueConstraint('events_stream_version', ['stream', 'version'])
      .execute();
    await db.schema
      .createTable('outbox')
      .addColumn('id', 'integer', (column) => column.primaryKey().autoIncrement())
      .addColumn('kind', 'text', (column) => column.notNull())
      .addColumn('job_id', 'text', (column) => column.notNull())
      .addColumn('operation_id', 'text', (column) => column.notNull())
      .addColumn('job_name', 'text')
      .addColumn('host', 'text', (column) => column.notNull())
      .addColumn('payload', 'text')
      .addColumn('created_at', 'text', (column) => column.notNull())
      .addColumn('sent_at', 'text')
      .addUniqueConstraint('outbox_kind_job', ['kind', 'job_id'])
      .execute();
    await sql`create index outbox_unsent on outbox (id) where sent_at is null`.execute(db);
    await db.schema.createIndex('outbox_operation').on('outbox').column('operation_id').execute();
    await db.schema
      .createTable('updates')
      .addColumn('bot_id', 'integer', (column) => column.notNull())
      .addColumn('update_id', 'integer', (column) => column.notNull())
      .addColumn('received_at', 'text', (column) => column.notNull())
      .addPrimaryKeyConstraint('updates_key', ['bot_id', 'update_id'])
      .execute();
    await db.schema.createIndex('updates_received').on('updates').column('received_at').execute();
    await db.schema
      .createTable('messages')
      .addColumn('key', 'text', (column) => column.primaryKey())
      .addColumn('chat_id', 'integer', (column) => column.notNull())
      .addColumn('view', 'text', (column) => column.notNull())
      .addColumn('revision', 'integer', (column) => column.notNull())
      .addColumn('delivered_revision', 'integer', (column) => column.notNull())
      .addColumn('message_id', 'integer')
      .addColumn('reply_to', 'integer')
      .addColumn('state', 'text', (column) => column.notNull())
      .addColumn('attempts', 'integer', (column) => column.notNull())
      .addColumn('created_at', 'text', (column) => column.notNull())
      .addColumn('updated_at', 'text', (column) => column.notNull())
      .execute();
    await sql`create index messages_undelivered on messages (created_at) where delivered_revision < revision and state <> 'undeliverable'`.execute(
      db,
    );
    await db.schema.createIndex('messages_place').on('messages').columns(['chat_id', 'message_id']).execute();
    await db.schema
      .createTable('vm_keys')
      .addColumn('vm_id', 'text', (column) => column.primaryKey())
      .addColumn('wrapped_key', 'blob', (column) => column.notNull())
      .execute();
    await db.schema
      .createTable('sealed_values')
      .addColumn('vm_id', 'text', (column) => column.notNull())
      .addColumn('name', 'text', (column) => column.notNull())
      .addColumn('sealed', 'blob', (column) => column.notNull())
      .addPrimaryKeyConstraint('sealed_values_key', ['vm_id', 'name'])
      .execute();
  },
};

const people: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable('people')
      .addColumn('user_id', 'integer', (column) => column.primaryKey())
      .addColumn('first_name', 'text', (column) => column.notNull())
      .addColumn('username', 'text')
      .addColumn('menu', 'text')
      .addColumn('seen_at', 'text', (column) => column.notNull())
      .execute();
  },
};

export const migrations: Record<string, Migration> = { '001-first': first, '002-people': people };

/** Brings the database forward; throws what went wrong and leaves it as it was before the failing step. */
export const migrate = async (db: Kysely<Database>): Promise<string[]> => {
  const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations } });
  const { error, results } = await migrator.migrateToLatest();
  if (error !== undefined) throw error;
  return (results ?? []).map(({ migrationName }) => migrationName);
};

/** The steps that this database has not gone yet. */
export const pendingMigrations = async (db: Kysely<Database>): Promise<string[]> => {
  const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations } });
  return (await migrator.getMigrations()).filter(({ executedAt }) => !executedAt).map(({ name }) => name);
};

/** Throws where the database has gone a step that this Berth does not know: what it holds would be misread. */
export const refuseNewer = async (db: Kysely<Database>): Promise<void> => {
  const tables = await db.introspection.getTables({ withInternalKyselyTables: true });
  if (!tables.some(({ name }) => name === DEFAULT_MIGRATION_TABLE)) return;
  const { rows } = await sql<{
    name: string;
  }>`select name from ${sql.table(DEFAULT_MIGRATION_TABLE)}`.execute(db);
  const unknown = rows.map(({ name }) => name).filter((name) => !Object.hasOwn(migrations, name));
  if (unknown.length === 0) return;
  throw new Error(
    `the database was written by a newer Berth (${unknown.join(', ')}); this one cannot read it. Run that one, or restore a copy from the folder backups.`,
  );
};
