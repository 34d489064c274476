import { type Kysely, sql, type Transaction } from 'kysely';
import { readAll } from '../../../shared/event-store/append.ts';
import type { Event } from '../../../shared/event-store/schema.ts';
import type { DomainEvent } from './domain-event.ts';
import { projections } from './projections/index.ts';
import type { Projection } from './projections/projection.ts';
import type { Database } from './schema.ts';
import { upcasters } from './upcasters.ts';

/** Builds the projections anew from the events, and shows whether they come out as they were. */

type Table = Projection['table'];
type Row = Record<string, unknown>;

export type Rebuilt = { events: number; seconds: number };
/** `missing` rows stood in the live table and do not follow from the events; `extra` ones follow and were not there. */
export type Comparison = { table: Table; rows: number; missing: Row[]; extra: Row[] };

/** Events read at once. */
const chunk = 2_000;
/** Differing rows shown of each table. */
const shown = 5;

const fill = async (trx: Transaction<Database>, source: Kysely<Database>): Promise<number> => {
  for (const { table, create } of projections) {
    await trx.schema.dropTable(table).ifExists().execute();
    await create(trx);
  }
  let events = 0;
  let position = 0;
  for (;;) {
    const read = await readAll(source as never, position, chunk, upcasters);
    const last = read.at(-1);
    if (last === undefined) return events;
    for (const event of read as unknown as Event<DomainEvent>[]) {
      for (const { apply } of projections) await apply(trx, event);
    }
    events += read.length;
    position = last.position;
  }
};

/**
 * Drops every projection of `db` and fills it again from the events of `source`, in one transaction: `db` itself
 * where it is one already. Nothing else may write meanwhile.
 */
export const rebuild = async (db: Kysely<Database>, source?: Kysely<Database>): Promise<Rebuilt> => {
  const begun = performance.now();
  const events = db.isTransaction
    ? await fill(db as Transaction<Database>, source ?? db)
    : await db.transaction().execute((trx) => fill(trx, source ?? trx));
  return { events, seconds: (performance.now() - begun) / 1_000 };
};

const before = (table: Table) => sql.table(`temp.before_${table}`);

const keep = async (trx: Transaction<Database>): Promise<void> => {
  for (const { table } of projections) {
    await sql`create temp table ${sql.table(`before_${table}`)} as select * from main.${sql.table(table)}`.execute(
      trx,
    );
  }
};

const compare = async (trx: Transaction<Database>): Promise<Comparison[]> => {
  const comparisons: Comparison[] = [];
  for (const { table } of projections) {
    const [old, fresh] = [before(table), sql.table(`main.${table}`)];
    const missing = await sql<Row>`select * from ${old} except select * from ${fresh} limit ${shown}`.execute(
      trx,
    );
    const extra = await sql<Row>`select * from ${fresh} except select * from ${old} limit ${shown}`.execute(
      trx,
    );
    const count = await sql<{ rows: number }>`select count(*) as rows from ${fresh}`.execute(trx);
    comparisons.push({ table, rows: count.rows[0]!.rows, missing: missing.rows, extra: extra.rows });
    await sql`drop table ${old}`.execute(trx);
  }
  return comparisons;
};

/** Rebuilds in place and compares with what stood there. Must have the database for itself. */
export const rebuildAndCompare = async (
  trx: Transaction<Database>,
  source?: Kysely<Database>,
): Promise<Rebuilt & { comparisons: Comparison[] }> => {
  await keep(trx);
  const rebuilt = await rebuild(trx, source);
  return { ...rebuilt, comparisons: await compare(trx) };
};

/** Copies the projections of `live` into an empty database, so that they can be compared there. */
export const copyProjections = async (live: Kysely<Database>, trx: Transaction<Database>): Promise<void> => {
  for (const { table, create } of projections) {
    await create(trx);
    for await (const row of live.selectFrom(table).selectAll().stream()) {
      await trx
        .insertInto(table)
        .values(row as never)
        .execute();
    }
  }
};
