import { writeFileSync } from 'node:fs';
import Sqlite from 'better-sqlite3';
import { CompiledQuery } from 'kysely';
import { describe, expect, it } from 'vitest';
import { WrongVersionError } from '../../../shared/event-store/append.ts';
import { command } from '../../../shared/vm/testing/history.ts';
import { isStorageFault } from './faults.ts';
import { databasePath, type Store } from './store.ts';
import { newDataDir, openTestStore, tell } from './testing/store.ts';

const pragma = async (store: Store, text: string): Promise<number> => {
  const { rows } = await store.db.executeQuery<Record<string, number>>(CompiledQuery.raw(`pragma ${text}`));
  return Object.values(rows[0] ?? {})[0] ?? 0;
};

const errorOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => null,
    (error) => error,
  );

const requestMany = async (store: Store): Promise<void> => {
  for (let number = 0; number < 200; number += 1) {
    const { type, data } = command.RequestVm(`create-${number}`);
    await tell(store, { type, data: { ...data, vmId: `vm${number}` } } as ReturnType<
      typeof command.RequestVm
    >);
  }
};

describe('the storage is at fault', () => {
  it('when the disk is full: nothing half is left, and it goes on once there is room', async () => {
    const store = await openTestStore();
    await pragma(store, `max_page_count = ${(await pragma(store, 'page_count')) + 4}`);
    const error = await errorOf(requestMany(store));
    expect(error).toHaveProperty('code', 'SQLITE_FULL');
    expect(isStorageFault(error)).toBe(true);
    const requested = await store.db
      .selectFrom('events')
      .select('stream')
      .where('type', '=', 'VmRequested')
      .execute();
    const vms = await store.db.selectFrom('vms').select('vm_id').execute();
    const asked = requested.map(({ stream }) => stream);
    expect(asked.length).toBeGreaterThan(0);
    expect(asked.sort()).toEqual(vms.map(({ vm_id }) => `vm-${vm_id}`).sort());
    await pragma(store, 'max_page_count = 100000');
    expect(await tell(store, command.RequestVm('later'))).toMatchObject({ state: { status: 'creating' } });
  });

  it('when somebody else holds the database: it goes on once they let go', async () => {
    const dataDir = newDataDir();
    const store = await openTestStore({ dataDir });
    await pragma(store, 'busy_timeout = 50');
    const other = new Sqlite(databasePath(dataDir));
    other.exec('begin immediate');
    const error = await errorOf(tell(store, command.RequestVm('create')));
    expect(error).toHaveProperty('code', 'SQLITE_BUSY');
    expect(isStorageFault(error)).toBe(true);
    other.exec('rollback');
    other.close();
    expect(await tell(store, command.RequestVm('create'))).toMatchObject({ state: { status: 'creating' } });
  });

  it('when the file is no database', async () => {
    const dataDir = newDataDir();
    writeFileSync(databasePath(dataDir), 'no database, but long enough to look like one '.repeat(100));
    const error = await errorOf(openTestStore({ dataDir }));
    expect(error).toHaveProperty('code', 'SQLITE_NOTADB');
    expect(isStorageFault(error)).toBe(true);
  });
});

describe('what was asked is at fault', () => {
  it('when a command is refused, or an id is taken', async () => {
    const store = await openTestStore();
    expect(isStorageFault(await errorOf(tell(store, command.StopVm('stop'))))).toBe(false);
    await tell(store, command.RequestVm('create'));
    await tell(store, command.RecordCreated('create'));
    const error = await errorOf(tell(store, command.StopVm('create')));
    expect(error).toHaveProperty('code', expect.stringContaining('SQLITE_CONSTRAINT'));
    expect(isStorageFault(error)).toBe(false);
  });

  it.each([
    null,
    undefined,
    'SQLITE_BUSY',
    new Error('SQLITE_FULL'),
    { code: 5 },
    new WrongVersionError('a', 1, 2),
  ])('or nothing at all: %s', (error) => expect(isStorageFault(error)).toBe(false));
});
