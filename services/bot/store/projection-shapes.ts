import { Kysely, sql } from 'kysely';
import type { Log } from '../../../shared/log.ts';
import { ImmediateSqliteDialect, openSqlite } from './dialect.ts';
import { projections } from './projections/index.ts';
import { rebuild } from './replay.ts';
import type { Database } from './schema.ts';

/**
 * A projection needs no migration: where its table is not there, or not of today's shape, all of them are built anew
 * from the events.
 */

const shapesIn = async (db: Kysely<Database>): Promise<string> => {
  const tables = sql.join(projections.map(({ table }) => table));
  const { rows } = await sql<{ sql: string }>`
    select sql from sqlite_schema where tbl_name in (${tables}) and sql is not null order by name`.execute(
    db,
  );
  return rows.map((row) => row.sql).join('\n');
};

const wantedShapes = async (): Promise<string> => {
  const empty = new Kysely<Database>({ dialect: new ImmediateSqliteDialect(openSqlite(':memory:')) });
  try {
    for (const { create } of projections) await create(empty);
    return await shapesIn(empty);
  } finally {
    await empty.destroy();
  }
};

/** In one transaction: when it fails, the projections stay as they were. */
export const bringProjectionsForward = async (db: Kysely<Database>, log: Log): Promise<void> => {
  if ((await shapesIn(db)) === (await wantedShapes())) return;
  const { events, seconds } = await rebuild(db);
  if (events > 0) log.info({ events, seconds }, 'projections built anew, for their tables have changed');
};
