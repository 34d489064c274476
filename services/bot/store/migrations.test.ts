import { chmodSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { sql } from 'kysely';
import { afterEach, expect, it } from 'vitest';
import { command } from '../../../shared/vm/testing/history.ts';
import { migrations } from './migrations.ts';
import { databasePath } from './store.ts';
import { newDataDir, openTestStore, tell } from './testing/store.ts';

/** Steps of a Berth to come; after each test this one knows only its own again. */
const known = Object.keys(migrations);
const later = (name: string, step: string) => {
  migrations[name] = { up: async (db) => void (await sql.raw(step).execute(db)) };
};
afterEach(() => {
  for (const name of Object.keys(migrations)) if (!known.includes(name)) delete migrations[name];
});

const at = (time: string) => () => new Date(time);

const withOneVm = async () => {
  const dataDir = newDataDir();
  const store = await openTestStore({ dataDir });
  await tell(store, command.RequestVm('create'));
  await store.close();
  return dataDir;
};
const backups = (dataDir: string) => {
  try {
    return readdirSync(join(dataDir, 'backups'));
  } catch {
    return [];
  }
};

it('a new database needs no copy of what was before', async () => {
  expect(backups(await withOneVm())).toEqual([]);
});

it('an existing database is copied before it is brought forward', async () => {
  const dataDir = await withOneVm();
  later('900-notes', 'create table notes (text text)');
  const store = await openTestStore({ dataDir, now: at('2026-03-01T10:20:30.405Z') });
  expect((await sql`select * from notes`.execute(store.db)).rows).toEqual([]);
  const name = 'before-900-notes-20260301T102030Z.db';
  expect(backups(dataDir)).toEqual([name]);
  const copy = new Sqlite(join(dataDir, 'backups', name), { readonly: true });
  expect(copy.pragma('integrity_check', { simple: true })).toBe('ok');
  expect(copy.prepare("select count(*) from events where type = 'VmRequested'").pluck().get()).toBe(1);
  expect(() => copy.prepare('select * from notes')).toThrow('no such table');
  copy.close();
});

it('a step that fails leaves the database as it was, as often as it is tried', async () => {
  const dataDir = await withOneVm();
  later('900-broken', 'insert into nowhere values (1)');
  for (const second of [1, 2]) {
    const attempt = openTestStore({ dataDir, now: at(`2026-03-01T00:00:0${second}Z`) });
    await expect(attempt).rejects.toThrow('no such table: nowhere');
  }
  expect(backups(dataDir)).toEqual(['before-900-broken-20260301T000002Z.db']);
  delete migrations['900-broken'];
  const store = await openTestStore({ dataDir });
  expect(await tell(store, command.RecordCreated('create'))).toMatchObject({ state: { status: 'running' } });
});

it('the copies of the last three times stay, and other files beside them', async () => {
  const dataDir = await withOneVm();
  mkdirSync(join(dataDir, 'backups'));
  writeFileSync(join(dataDir, 'backups', 'berth-20200101T000000Z.tar'), '');
  for (const month of [1, 2, 3, 4]) {
    later(`90${month}-step`, `create table step${month} (text text)`);
    await (await openTestStore({ dataDir, now: at(`2026-0${month}-01T00:00:00Z`) })).close();
  }
  expect(backups(dataDir).sort()).toEqual([
    'before-902-step-20260201T000000Z.db',
    'before-903-step-20260301T000000Z.db',
    'before-904-step-20260401T000000Z.db',
    'berth-20200101T000000Z.tar',
  ]);
});

it('nobody else can read the database, its log or a copy, also where they could before', async () => {
  const dataDir = await withOneVm();
  chmodSync(dataDir, 0o755);
  chmodSync(databasePath(dataDir), 0o644);
  writeFileSync(`${databasePath(dataDir)}-wal`, '', { mode: 0o644 });
  later('900-notes', 'create table notes (text text)');
  const store = await openTestStore({ dataDir });
  await tell(store, command.RecordCreated('create'));
  const files = readdirSync(dataDir, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\.db(-wal|-shm)?$/.test(name),
  );
  expect(files.length).toBe(4);
  for (const name of files) expect(statSync(join(dataDir, name)).mode & 0o777, name).toBe(0o600);
});

it('a database of a newer Berth is refused, and said to be one', async () => {
  const dataDir = await withOneVm();
  later('900-notes', 'create table notes (text text)');
  await (await openTestStore({ dataDir })).close();
  delete migrations['900-notes'];
  await expect(openTestStore({ dataDir })).rejects.toThrow(
    'was written by a newer Berth (900-notes); this one cannot read it',
  );
  const untouched = new Sqlite(databasePath(dataDir), { readonly: true });
  expect(untouched.prepare('select count(*) from notes').pluck().get()).toBe(0);
  untouched.close();
});
