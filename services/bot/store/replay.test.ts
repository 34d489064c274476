import { Kysely } from 'kysely';
import { describe, expect, it } from 'vitest';
import { image, imageStream } from '../../../shared/image/image.ts';
import { settings, settingsStream } from '../../../shared/settings/settings.ts';
import { type StrayCommand, strayStream, strays } from '../../../shared/stray/stray.ts';
import { someThing } from '../../../shared/stray/testing/things.ts';
import { thingKey } from '../../../shared/stray/thing.ts';
import { user, userStream } from '../../../shared/user/user.ts';
import { at, command, orderOf } from '../../../shared/vm/testing/history.ts';
import { ImmediateSqliteDialect, openSqlite } from './dialect.ts';
import { projections } from './projections/index.ts';
import { copyProjections, rebuild, rebuildAndCompare } from './replay.ts';
import type { Database } from './schema.ts';
import type { Store } from './store.ts';
import { databasePath } from './store.ts';
import { metadata, newDataDir, openTestStore, tell } from './testing/store.ts';

const [told, gone, removed, kept] = ['told', 'gone', 'removed', 'kept'].map((vmId) => ({
  ...someThing({ vmId }),
  reason: 'unknown-vm' as const,
}));
const removal = (operationId: string) => ({ operationId, host: 'local', at });
const strayCommands: StrayCommand[] = [
  {
    type: 'RecordStrays',
    data: { host: 'local', at, present: null, certain: [told!, gone!, removed!, kept!] },
  },
  {
    type: 'RequestStrayRemoval',
    data: { ...removal('removal-1'), keys: [thingKey(removed!)], by: 1 },
  },
  { type: 'RecordStraysRemoved', data: removal('removal-1') },
  { type: 'RequestStrayRemoval', data: { ...removal('removal-2'), keys: [thingKey(kept!)], by: 1 } },
  { type: 'RecordStrayRemovalTimedOut', data: removal('removal-2') },
  {
    type: 'RecordStrays',
    data: { host: 'local', at, present: [thingKey(told!), thingKey(kept!)], certain: [] },
  },
];

/** A bit of everything, so that every projection has rows and every kind of end occurs. */
const live = async (store: Store): Promise<void> => {
  const commands = [
    command.RequestVm('create'),
    command.ReassignPort('create', 22_003),
    command.RecordCreated('create'),
    command.RequestExec('good'),
    command.RecordExecFinished('good'),
    command.RequestExec('bad'),
    command.RecordFailed('bad'),
    command.RequestExec('slow'),
    command.RecordTimedOut('slow'),
    command.RequestExec('unwanted'),
    command.CancelOperation('unwanted'),
    command.RecordCancelled('unwanted'),
    command.StopVm('stop-1'),
    command.RecordFailed('stop-1'),
    command.RequestExec('ended'),
    command.RestartVm('restart-1'),
    command.RecordRestarted('restart-1'),
    command.StopVm('stop-2'),
    command.RecordStopped('stop-2'),
    command.StartVm('start-1'),
    command.CancelOperation('start-1', 'undo'),
    command.RecordStopped('undo'),
    command.StartVm('start-2'),
    command.RecordStarted('start-2'),
    command.UpdateKeys('keys'),
    command.RecordAccessUpdated('keys'),
    command.ChangePassword('password'),
    command.RecordFailed('password'),
    command.OrderStop('pause'),
    command.OrderStart('resume'),
    command.RecordStopped('pause'),
    command.OrderStop('pause-2'),
    command.RecordStarted('resume'),
    command.RecordStopped('pause-2'),
    command.OrderStop('force', orderOf('administrator')),
    command.StartVm('start-3'),
    command.RecordStarted('start-3'),
    command.RecordOutOfMemory('memory'),
  ];
  for (const each of commands) await tell(store, each);
  const { epoch } = await store.db.selectFrom('vms').select('epoch').executeTakeFirstOrThrow();
  await tell(store, command.RecordExited('again', epoch));
  const grant = { userId: 7, planId: '2', username: 'ada', by: 1, at };
  await store.transaction(async (trx) => {
    await store.handle(trx, user, userStream(7), { type: 'AllowUser', data: grant }, metadata);
    const gpu = { type: 'SetGpuPassthrough', data: { gpu: true, at } } as const;
    await store.handle(trx, settings, settingsStream, gpu, metadata);
    const begin = { type: 'BeginMaintenance', data: { by: 1, batchId: 'b', at } } as const;
    await store.handle(trx, settings, settingsStream, begin, metadata);
    const key = {
      fingerprint: 'SHA256:a',
      type: 'ssh-ed25519',
      bits: 256,
      comment: '',
      line: 'ssh-ed25519 A',
    };
    const addKey = { type: 'AddSshKey', data: { userId: 7, key, at } } as const;
    await store.handle(trx, user, userStream(7), addKey, metadata);
    const build = { operationId: 'build', host: 'local', at };
    const request = { type: 'RequestImageBuild', data: { ...build, by: 1 } } as const;
    await store.handle(trx, image, imageStream('local'), request, metadata);
    const built = { type: 'RecordImageBuilt', data: { ...build, imageId: 'i' } } as const;
    await store.handle(trx, image, imageStream('local'), built, metadata);
    for (const each of strayCommands) await store.handle(trx, strays, strayStream('local'), each, metadata);
  });
};

const dump = async (db: Kysely<Database>) =>
  Object.fromEntries(
    await Promise.all(
      projections.map(
        async ({ table }) => [table, await db.selectFrom(table).selectAll().execute()] as const,
      ),
    ),
  );

describe('rebuilding', () => {
  it('gives every projection the same rows', async () => {
    const store = await openTestStore();
    await live(store);
    const rows = await dump(store.db);
    expect(Object.values(rows).every((table) => table.length > 0)).toBe(true);
    const { events } = await rebuild(store.db);
    expect(events).toBeGreaterThan(25);
    expect(await dump(store.db)).toEqual(rows);
  });

  it('says which rows differed, and repairs them', async () => {
    const store = await openTestStore();
    await live(store);
    const rows = await dump(store.db);
    await store.db.updateTable('vms').set({ status: 'running' }).execute();
    await store.db.deleteFrom('operations').where('operation_id', '=', 'good').execute();
    const { comparisons } = await store.transaction((trx) => rebuildAndCompare(trx));
    const of = (table: string) => comparisons.find((comparison) => comparison.table === table);
    expect(of('vms')).toMatchObject({ missing: [{ status: 'running' }], extra: [{ status: 'stopped' }] });
    expect(of('operations')).toMatchObject({ missing: [], extra: [{ operation_id: 'good' }] });
    expect(of('users')).toMatchObject({ rows: 1, missing: [], extra: [] });
    expect(await dump(store.db)).toEqual(rows);
  });

  it('leaves the projections as they were when an event cannot be read', async () => {
    const store = await openTestStore();
    await live(store);
    const rows = await dump(store.db);
    await store.db.updateTable('events').set({ schema_version: 9 }).where('type', '=', 'VmExited').execute();
    await expect(rebuild(store.db)).rejects.toThrow('written by a newer Berth');
    expect(await dump(store.db)).toEqual(rows);
  });

  it('leaves messages, outbox and sealed values alone', async () => {
    const store = await openTestStore();
    await live(store);
    await store.db.insertInto('updates').values({ bot_id: 1, update_id: 2, received_at: at }).execute();
    await rebuild(store.db);
    expect(await store.db.selectFrom('updates').selectAll().execute()).toHaveLength(1);
  });

  it('works beside a writer, on the moment at which it began', async () => {
    const dataDir = newDataDir();
    const store = await openTestStore({ dataDir });
    await live(store);
    const snapshot = openSqlite(databasePath(dataDir), { readonly: true });
    const seen = new Kysely<Database>({ dialect: new ImmediateSqliteDialect(snapshot) });
    const memory = new Kysely<Database>({ dialect: new ImmediateSqliteDialect(openSqlite(':memory:')) });
    snapshot.exec('begin');
    await memory.transaction().execute((trx) => copyProjections(seen, trx));
    await tell(store, command.StartVm('start-4'));
    const { comparisons } = await memory.transaction().execute((trx) => rebuildAndCompare(trx, seen));
    expect(comparisons.flatMap(({ missing, extra }) => [...missing, ...extra])).toEqual([]);
    await seen.destroy();
    await memory.destroy();
  });
});
