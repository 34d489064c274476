import { sql } from 'kysely';
import { expect, it } from 'vitest';
import { command } from '../../../shared/vm/testing/history.ts';
import type { Store } from './store.ts';
import { newDataDir, openTestStore, tell } from './testing/store.ts';

const contents = async ({ db }: Store) => ({
  vms: await db.selectFrom('vms').selectAll().execute(),
  plans: await db.selectFrom('plans').selectAll().execute(),
  indexes: (await sql`select name from sqlite_schema where type = 'index' order by name`.execute(db)).rows,
});

/** A store with a VM, closed after something was done to its tables; what was in them before, and then a new start. */
const reopened = async (change: string) => {
  const dataDir = newDataDir();
  const first = await openTestStore({ dataDir });
  await tell(first, command.RequestVm('create'));
  const before = await contents(first);
  await sql.raw(change).execute(first.db);
  await first.close();
  return { before, store: await openTestStore({ dataDir }) };
};

it.each([
  ['is not there', 'drop table vms'],
  ['is of an older shape', 'alter table vms drop column host_key_fingerprint'],
  ['is of a newer shape', 'alter table plans add column color text'],
  ['lacks an index', 'drop index vms_owner'],
])('projections are built anew where a table %s', async (_what, change) => {
  const { before, store } = await reopened(change);
  expect(before).toMatchObject({ vms: [{}], indexes: expect.arrayContaining([{ name: 'vms_owner' }]) });
  expect(await contents(store)).toEqual(before);
  expect(await tell(store, command.RecordCreated('create'))).toMatchObject({ state: { status: 'running' } });
});

it('projections of the right shape are left alone', async () => {
  const { store } = await reopened("update vms set name = 'as it was'");
  expect((await contents(store)).vms).toMatchObject([{ name: 'as it was' }]);
});
