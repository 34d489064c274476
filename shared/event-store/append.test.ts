import Sqlite from 'better-sqlite3';
import { Kysely, SqliteDialect } from 'kysely';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { append, type EventDatabase, readAll, readStream, WrongVersionError } from './append.ts';
import type { Metadata } from './schema.ts';
import type { Upcasters } from './upcasters.ts';

const metadata: Metadata = { actor: 42, chat: -7, correlationId: 'corr', causationId: 'update-1' };
const now = new Date('2026-01-02T03:04:05.678Z');
const thing = (number: number) => ({ type: 'ThingHappened', data: { number } });

let db: Kysely<EventDatabase>;
const write = (
  stream: string,
  version: number,
  events: { type: string; data: object }[],
  upcasters: Upcasters = {},
) => db.transaction().execute((trx) => append(trx, stream, version, events, metadata, { now, upcasters }));

beforeEach(async () => {
  const database = new Sqlite(':memory:');
  db = new Kysely<EventDatabase>({ dialect: new SqliteDialect({ database }) });
  database.exec(`create table events (
    position integer primary key autoincrement, stream text not null, version integer not null,
    type text not null, schema_version integer not null, data text not null, actor integer, chat integer,
    correlation_id text not null, causation_id text, recorded_at text not null, unique (stream, version))`);
  onTestFinished(() => db.destroy());
});

describe('appending', () => {
  it('begins a stream with version 1 and goes on from there', async () => {
    await write('a', 0, [thing(1), thing(2)]);
    const [third] = await write('a', 2, [thing(3)]);
    expect(third).toEqual({
      ...thing(3),
      stream: 'a',
      version: 3,
      position: 3,
      recordedAt: '2026-01-02T03:04:05.678Z',
      metadata,
    });
  });

  it('returns events as they are read later', async () => {
    const written = await write('a', 0, [thing(1), { type: 'Other', data: { text: 'ü\n"\'', none: null } }]);
    expect(await readStream(db, 'a', {})).toEqual(written);
  });

  it.each([
    ['a stream that is further', 'a', 1],
    ['a stream that is not as far', 'a', 3],
    ['a stream that exists, as new', 'a', 0],
    ['a stream that does not exist, as old', 'b', 1],
  ])('refuses %s, and appends nothing', async (_what, stream, version) => {
    await write('a', 0, [thing(1), thing(2)]);
    await expect(write(stream, version, [thing(3)])).rejects.toThrow(WrongVersionError);
    expect(await readAll(db, 0, 10, {})).toHaveLength(2);
  });

  it('of nothing still checks the version', async () => {
    expect(await write('a', 0, [])).toEqual([]);
    await expect(write('a', 1, [])).rejects.toThrow('stream a is at version 0, not 1');
  });

  it('keeps the metadata of Berth itself, which has no person and no chat', async () => {
    const own: Metadata = { actor: null, chat: null, correlationId: 'c', causationId: null };
    await db.transaction().execute((trx) => append(trx, 'a', 0, [thing(1)], own, { now, upcasters: {} }));
    expect((await readStream(db, 'a', {}))[0]?.metadata).toEqual(own);
  });
});

describe('reading', () => {
  it('gives all streams in their global order, from behind a position, so many at most', async () => {
    await write('a', 0, [thing(1)]);
    await write('b', 0, [thing(2), thing(3)]);
    await write('a', 1, [thing(4)]);
    const numbers = async (after: number, limit: number) =>
      (await readAll(db, after, limit, {})).map(({ data }) => (data as { number: number }).number);
    expect(await numbers(0, 10)).toEqual([1, 2, 3, 4]);
    expect(await numbers(1, 2)).toEqual([2, 3]);
    expect(await numbers(4, 2)).toEqual([]);
  });

  it('never gives a position twice, even after the newest events are gone', async () => {
    await write('a', 0, [thing(1), thing(2)]);
    await db.deleteFrom('events').where('version', '=', 2).execute();
    expect(await write('a', 1, [thing(3)])).toMatchObject([{ position: 3, version: 2 }]);
  });

  it('of a stream without events gives none', async () => expect(await readStream(db, 'a', {})).toEqual([]));
});

describe('events of an older shape', () => {
  const upcasters: Upcasters = {
    ThingHappened: [
      ({ data }) => ({ type: 'ThingHappened', data: { numbers: [data.number] } }),
      ({ data }) => ({ type: 'ThingsHappened', data: { ...data, unit: 'piece' } }),
    ],
  };

  it('are read in the newest one, whichever they were written in', async () => {
    await write('a', 0, [thing(1)]);
    const second = { type: 'ThingHappened', data: { numbers: [2] } };
    await write('a', 1, [second], { ThingHappened: upcasters.ThingHappened!.slice(0, 1) });
    expect(await readStream(db, 'a', upcasters)).toMatchObject([
      { type: 'ThingsHappened', data: { numbers: [1], unit: 'piece' } },
      { type: 'ThingsHappened', data: { numbers: [2], unit: 'piece' } },
    ]);
  });

  it('stay in the store as they were written', async () => {
    await write('a', 0, [thing(1)]);
    await readStream(db, 'a', upcasters);
    expect(await db.selectFrom('events').select(['data', 'schema_version']).execute()).toEqual([
      { data: '{"number":1}', schema_version: 1 },
    ]);
  });

  it('are written with the version they have now, and read back unchanged', async () => {
    const newest = { type: 'ThingHappened', data: { numbers: [1], unit: 'piece' } };
    const [written] = await write('a', 0, [newest], upcasters);
    expect(written).toMatchObject(newest);
    expect(await db.selectFrom('events').select('schema_version').execute()).toEqual([{ schema_version: 3 }]);
  });

  it('that only a newer Berth knows are refused, with what is the matter', async () => {
    await write('a', 0, [thing(1)], upcasters);
    await expect(readStream(db, 'a', {})).rejects.toThrow(
      'ThingHappened of version 3 was written by a newer Berth; this one cannot read it',
    );
    await expect(readAll(db, 0, 1, {})).rejects.toThrow('newer Berth');
  });
});
