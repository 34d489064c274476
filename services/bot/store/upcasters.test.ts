import { Kysely } from 'kysely';
import { expect, it } from 'vitest';
import { command } from '../../../shared/vm/testing/history.ts';
import { ImmediateSqliteDialect, openSqlite } from './dialect.ts';
import { rebuild } from './replay.ts';
import type { Database } from './schema.ts';
import { databasePath } from './store.ts';
import { newDataDir, openTestStore, tell } from './testing/store.ts';

it('plans and VMs of before there was a choice have sudo', async () => {
  const dataDir = newDataDir();
  const store = await openTestStore({ dataDir });
  await tell(store, command.RequestVm('create'));
  await store.close();

  const db = new Kysely<Database>({ dialect: new ImmediateSqliteDialect(openSqlite(databasePath(dataDir))) });
  const events = await db.selectFrom('events').select(['position', 'data']).execute();
  for (const { position, data } of events) {
    const { sudo: _ofPlan, ...old } = JSON.parse(data);
    if ('limits' in old) delete old.limits.sudo;
    const written = { data: JSON.stringify(old), schema_version: 1 };
    await db.updateTable('events').set(written).where('position', '=', position).execute();
  }
  await rebuild(db);
  expect(await db.selectFrom('plans').select('sudo').distinct().execute()).toEqual([{ sudo: 1 }]);
  expect(await db.selectFrom('vms').select('sudo').execute()).toEqual([{ sudo: 1 }]);
  await db.destroy();
});
