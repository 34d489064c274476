import Sqlite from 'better-sqlite3';
import { CompiledQuery, type DatabaseConnection, SqliteDialect, SqliteDriver } from 'kysely';

/**
 * A transaction of ours nearly always writes: it says so when it begins. Kysely's plain `begin` becomes a write
 * only later, and fails at once when another process committed meanwhile, whatever the busy timeout.
 */
class ImmediateDriver extends SqliteDriver {
  readonly #database: Sqlite.Database;

  constructor(database: Sqlite.Database) {
    super({ database });
    this.#database = database;
  }

  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin immediate'));
  }

  /** A full disk makes SQLite roll back by itself; a second time would fail, and hide what went wrong. */
  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    if (this.#database.inTransaction) await super.rollbackTransaction(connection);
  }
}

export class ImmediateSqliteDialect extends SqliteDialect {
  readonly #database: Sqlite.Database;

  constructor(database: Sqlite.Database) {
    super({ database });
    this.#database = database;
  }

  override createDriver(): SqliteDriver {
    return new ImmediateDriver(this.#database);
  }
}

/** Prepared statements by their text: Kysely prepares every query anew, which costs more than running it. */
const withStatementCache = (database: Sqlite.Database): Sqlite.Database => {
  const statements = new Map<string, Sqlite.Statement>();
  const prepare = database.prepare.bind(database);
  database.prepare = ((sql: string) => {
    const known = statements.get(sql);
    if (known !== undefined && !known.busy) return known;
    const statement = prepare(sql);
    if (statements.size < 500) statements.set(sql, statement);
    return statement;
  }) as typeof database.prepare;
  return database;
};

/** Every commit is on the disk before it counts; deleted secrets are overwritten. */
export const openSqlite = (path: string, { readonly = false } = {}): Sqlite.Database => {
  const database = new Sqlite(path, { readonly, timeout: 10_000 });
  if (!readonly) {
    database.pragma('journal_mode = WAL');
    database.pragma('synchronous = FULL');
    database.pragma('secure_delete = ON');
  }
  database.pragma('foreign_keys = ON');
  return withStatementCache(database);
};
