import type { Kysely, Transaction } from 'kysely';
import type { AnyMessage } from '../decider.ts';
import type { Event, EventTable, Metadata } from './schema.ts';
import { type Upcasters, upcast } from './upcasters.ts';

/** Appending to streams and reading them. A stream has no existence of its own: it begins with its first event. */

export type EventDatabase = { events: EventTable };

/** Somebody else appended first, or the stream exists (not) against expectation. Read again and decide again. */
export class WrongVersionError extends Error {
  override name = 'WrongVersionError';

  constructor(stream: string, expected: number, actual: number) {
    super(`stream ${stream} is at version ${actual}, not ${expected}`);
  }
}

type Row = EventTable extends infer T ? { [K in keyof T]: K extends 'position' ? number : T[K] } : never;

export const eventFromRow = (row: Row, upcasters: Upcasters): Event => {
  const { type, data } = upcast(upcasters, row.type, row.schema_version, JSON.parse(row.data));
  return {
    type,
    data,
    stream: row.stream,
    version: row.version,
    position: row.position,
    recordedAt: row.recorded_at,
    metadata: {
      actor: row.actor,
      chat: row.chat,
      correlationId: row.correlation_id,
      causationId: row.causation_id,
    },
  };
};

const currentVersion = async (db: Kysely<EventDatabase>, stream: string): Promise<number> => {
  const { version } = await db
    .selectFrom('events')
    .select(({ fn }) => fn.max('version').as('version'))
    .where('stream', '=', stream)
    .executeTakeFirstOrThrow();
  return (version as number | null) ?? 0;
};

/**
 * Appends events to a stream that must be at `expectedVersion` (0: must not exist). Returns them as recorded; throws
 * WrongVersionError and appends nothing otherwise. Must run in a transaction that nobody else writes beside.
 */
export const append = async (
  trx: Transaction<EventDatabase>,
  stream: string,
  expectedVersion: number,
  events: readonly AnyMessage[],
  metadata: Metadata,
  { now, upcasters }: { now: Date; upcasters: Upcasters },
): Promise<Event[]> => {
  const actual = await currentVersion(trx, stream);
  if (actual !== expectedVersion) throw new WrongVersionError(stream, expectedVersion, actual);
  const recorded: Event[] = [];
  for (const [index, { type, data }] of events.entries()) {
    const row = {
      stream,
      version: expectedVersion + index + 1,
      type,
      schema_version: (upcasters[type]?.length ?? 0) + 1,
      data: JSON.stringify(data),
      actor: metadata.actor,
      chat: metadata.chat,
      correlation_id: metadata.correlationId,
      causation_id: metadata.causationId,
      recorded_at: now.toISOString(),
    };
    const { position } = await trx
      .insertInto('events')
      .values(row)
      .returning('position')
      .executeTakeFirstOrThrow();
    recorded.push(eventFromRow({ ...row, position }, upcasters));
  }
  return recorded;
};

/** The events of one stream behind a version, in their order. */
export const readStream = async (
  db: Kysely<EventDatabase>,
  stream: string,
  upcasters: Upcasters,
  afterVersion = 0,
): Promise<Event[]> => {
  const rows = await db
    .selectFrom('events')
    .selectAll()
    .where('stream', '=', stream)
    .where('version', '>', afterVersion)
    .orderBy('version')
    .execute();
  return rows.map((row) => eventFromRow(row, upcasters));
};

/** All events behind a position, in their global order, at most `limit`. */
export const readAll = async (
  db: Kysely<EventDatabase>,
  afterPosition: number,
  limit: number,
  upcasters: Upcasters,
): Promise<Event[]> => {
  const rows = await db
    .selectFrom('events')
    .selectAll()
    .where('position', '>', afterPosition)
    .orderBy('position')
    .limit(limit)
    .execute();
  return rows.map((row) => eventFromRow(row, upcasters));
};
