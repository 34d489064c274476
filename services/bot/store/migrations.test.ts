import { readdirSync } from 'node:fs';
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
  const store = await openTestStore({ dataDir });
  expect((await sql`select * from notes`.execute(store.db)).rows).toEqual([]);
  expect(backups(dataDir)).toEqual(['before-900-notes.db']);
  const copy = new Sqlite(join(dataDir, 'backups', 'before-900-notes.db'), { readonly: true });
  expect(copy.pragma('integrity_check', { simple: true })).toBe('ok');
  expect(copy.prepare("select count(*) from events where type = 'VmRequested'").pluck().get()).toBe(1);
  expect(() => copy.prepare('select * from notes')).toThrow('no such table');
  copy.close();
});

it('a step that fails leaves the database as it was, as often as it is tried', async () => {
  const dataDir = await withOneVm();
  later('900-broken', 'insert into nowhere values (1)');
  for (const _attempt of [1, 2]) {
    await expect(openTestStore({ dataDir })).rejects.toThrow('no such table: nowhere');
  }
  expect(backups(dataDir)).toEqual(['before-900-broken.db']);
  delete migrations['900-broken'];
  const store = await openTestStore({ dataDir });
  expect(await tell(store, command.RecordCreated('create'))).toMatchObject({ state: { status: 'running' } });
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
