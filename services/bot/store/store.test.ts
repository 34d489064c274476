import { CompiledQuery, sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { IllegalStateError } from '../../../shared/decider.ts';
import { createVault } from '../../../shared/secrets/vault.ts';
import { settings, settingsStream } from '../../../shared/settings/settings.ts';
import { vm, vmStream } from '../../../shared/vm/decider.ts';
import { at, command, vmId } from '../../../shared/vm/testing/history.ts';
import { createNotifications } from '../notifications.ts';
import { passwordName } from '../sealed-names.ts';
import { createJobsPolicy } from './policies/jobs.ts';
import type { Policy, Store, Trx } from './store.ts';
import { metadata, newDataDir, openTestStore, tell } from './testing/store.ts';

const vault = createVault(Buffer.alloc(32, 7));
const policies = [createJobsPolicy({ vault }), createNotifications([])];

type Table = 'events' | 'vms' | 'operations' | 'outbox' | 'messages' | 'vm_keys' | 'sealed_values';
const count = async (store: Store, table: Table) =>
  (await store.db.selectFrom(table).selectAll().execute()).length;

const requestVm = (store: Store) =>
  store.transaction(async (trx) => {
    await vault.seal(trx, vmId, passwordName, 'hush');
    return store.handle(trx, vm, vmStream(vmId), command.RequestVm('create'), metadata);
  });

const setCpus = (store: Store, trx: Trx, cpus: number) =>
  store.handle(trx, settings, settingsStream, { type: 'SetDefaultCpus', data: { cpus, at } }, metadata);

describe('one transaction', () => {
  it('holds the event, its projections, the job and the message', async () => {
    const store = await openTestStore({ policies });
    const { state, events } = await requestVm(store);
    expect(state).toMatchObject({ status: 'creating', epoch: 1 });
    expect(events).toMatchObject([{ type: 'VmRequested' }]);
    expect(await store.db.selectFrom('vms').select(['vm_id', 'status']).execute()).toEqual([
      { vm_id: vmId, status: 'creating' },
    ]);
    expect(await store.db.selectFrom('outbox').select(['job_id', 'sent_at']).execute()).toEqual([
      { job_id: 'create.1', sent_at: null },
    ]);
    expect(await store.db.selectFrom('messages').select(['key', 'chat_id']).execute()).toEqual([
      { key: 'op:create', chat_id: metadata.chat },
    ]);
  });

  it('leaves nothing when what follows from its event fails', async () => {
    const broken: Policy = async (_trx, { type }) => {
      if (type === 'VmRequested') throw new Error('no ink');
    };
    const store = await openTestStore({ policies: [...policies, broken] });
    const before = await count(store, 'events');
    await expect(requestVm(store)).rejects.toThrow('no ink');
    expect(await count(store, 'events')).toBe(before);
    const tables: Table[] = ['vms', 'operations', 'outbox', 'messages', 'vm_keys', 'sealed_values'];
    for (const table of tables) expect(await count(store, table), table).toBe(0);
  });

  it('leaves nothing when a later command in it is refused', async () => {
    const store = await openTestStore({ policies });
    const both = store.transaction(async (trx) => {
      await vault.seal(trx, vmId, passwordName, 'hush');
      await store.handle(trx, vm, vmStream(vmId), command.RequestVm('create'), metadata);
      await store.handle(trx, vm, vmStream(vmId), command.StopVm('stop'), metadata);
    });
    await expect(both).rejects.toThrow(IllegalStateError);
    expect(await count(store, 'vms')).toBe(0);
  });

  it('refuses an operation id that was used before, even one that has ended', async () => {
    const store = await openTestStore();
    for (const each of [command.RequestVm('create'), command.RecordCreated('create')])
      await tell(store, each);
    for (const each of [command.RequestExec('x'), command.RecordExecFinished('x')]) await tell(store, each);
    const before = await count(store, 'events');
    await expect(tell(store, command.RequestExec('x'))).rejects.toThrow('UNIQUE');
    await expect(tell(store, command.StopVm('x'))).rejects.toThrow('UNIQUE');
    expect(await count(store, 'events')).toBe(before);
  });

  it('passes on the events of several streams in their order, after the commit, and none after a rollback', async () => {
    const store = await openTestStore();
    const heard: string[][] = [];
    const stop = store.onCommitted((events) => heard.push(events.map(({ type }) => type)));
    await store.transaction(async (trx) => {
      await setCpus(store, trx, 3);
      await store.handle(trx, vm, vmStream(vmId), command.RequestVm('create'), metadata);
      expect(heard).toEqual([]);
    });
    await expect(
      store.transaction(async (trx) => {
        await setCpus(store, trx, 4);
        throw new Error('changed my mind');
      }),
    ).rejects.toThrow('changed my mind');
    expect(heard).toEqual([['DefaultCpusChanged', 'VmRequested']]);
    stop();
    await store.transaction((trx) => setCpus(store, trx, 5));
    expect(heard).toHaveLength(1);
  });
});

describe('at the same time', () => {
  it('transactions do not mix: each sees what the one before left', async () => {
    const store = await openTestStore();
    let inside = 0;
    await Promise.all(
      Array.from({ length: 40 }, (_, index) =>
        store.transaction(async (trx) => {
          inside += 1;
          expect(inside).toBe(1);
          const { state } = await setCpus(store, trx, 100 + index);
          await setCpus(store, trx, state.cpus + 0.5);
          inside -= 1;
        }),
      ),
    );
    const versions = await store.db
      .selectFrom('events')
      .select('version')
      .where('stream', '=', 'settings')
      .orderBy('position')
      .execute();
    expect(versions.map(({ version }) => version)).toEqual(
      Array.from({ length: 80 }, (_, index) => index + 1),
    );
  });

  it('a transaction that fails takes nothing of its neighbours with it', async () => {
    const store = await openTestStore();
    const results = await Promise.allSettled(
      Array.from({ length: 20 }, (_, index) =>
        store.transaction(async (trx) => {
          await setCpus(store, trx, 100 + index);
          if (index % 2 === 1) throw new Error('odd');
        }),
      ),
    );
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(10);
    const events = await store.db
      .selectFrom('events')
      .select('data')
      .where('stream', '=', 'settings')
      .execute();
    expect(events.map(({ data }) => JSON.parse(data).cpus)).toEqual(
      Array.from({ length: 10 }, (_, index) => 100 + 2 * index),
    );
  });

  it('a plain query waits for the transaction, and sees nothing of one that is rolled back', async () => {
    const store = await openTestStore();
    const { promise: written, resolve: write } = Promise.withResolvers<void>();
    const { promise: asked, resolve: ask } = Promise.withResolvers<void>();
    let over = false;
    const transaction = store.transaction(async (trx) => {
      await setCpus(store, trx, 9);
      write();
      await asked;
      over = true;
      throw new Error('rolled back');
    });
    await written;
    const query = store.db
      .selectFrom('settings')
      .selectAll()
      .execute()
      .then((rows) => ({ rows, over }));
    ask();
    await expect(transaction).rejects.toThrow('rolled back');
    expect(await query).toEqual({ rows: [], over: true });
  });
});

describe('within a transaction', () => {
  it.each<[string, (store: Store) => Promise<unknown>]>([
    ['a query', (store) => store.db.selectFrom('vms').selectAll().execute()],
    ['a query in SQL', (store) => sql`select 1`.execute(store.db)],
    ['another transaction', (store) => store.transaction(async () => null)],
  ])('%s beside it is refused, and does not wait for ever', async (_what, beside) => {
    const store = await openTestStore();
    const refusal = store.transaction(async (trx) => {
      await setCpus(store, trx, 3);
      await beside(store);
    });
    await expect(refusal).rejects.toThrow('inside a transaction only its `trx` answers');
    await store.transaction((trx) => setCpus(store, trx, 4));
    expect(await store.db.selectFrom('settings').select('cpus').execute()).toEqual([{ cpus: 4 }]);
  });

  it('work may be begun that queries once it is over', async () => {
    const store = await openTestStore();
    const { promise: over, resolve: end } = Promise.withResolvers<void>();
    const later = await store.transaction(async (trx) => {
      await setCpus(store, trx, 3);
      return { rows: over.then(() => store.db.selectFrom('settings').select('cpus').execute()) };
    });
    end();
    expect(await later.rows).toEqual([{ cpus: 3 }]);
  });
});

describe('a command', () => {
  it('meets the state that was committed, not one that was rolled back', async () => {
    const store = await openTestStore();
    await tell(store, command.RequestVm('create'));
    const undone = store.transaction(async (trx) => {
      const { state } = await store.handle(
        trx,
        vm,
        vmStream(vmId),
        command.RecordCreated('create'),
        metadata,
      );
      expect(state.status).toBe('running');
      await store.handle(trx, vm, vmStream(vmId), command.RequestExec('x'), metadata);
      throw new Error('undone');
    });
    await expect(undone).rejects.toThrow('undone');
    await expect(tell(store, command.RequestExec('y'))).rejects.toThrow('the VM is creating');
    const { state } = await tell(store, command.RecordFailed('create'));
    expect(state).toMatchObject({ status: 'failed', execs: {} });
  });

  it('meets the same state before and after a restart', async () => {
    const dataDir = newDataDir();
    const first = await openTestStore({ dataDir });
    for (const each of [command.RequestVm('create'), command.RecordCreated('create')])
      await tell(first, each);
    for (const id of ['a', 'b', 'c']) await tell(first, command.RequestExec(id));
    const { state } = await tell(first, command.RecordExecFinished('b'));
    await first.close();
    const second = await openTestStore({ dataDir });
    expect(await tell(second, command.RecordExecFinished('b'))).toEqual({ state, events: [] });
  });
});

it('somebody who hears of a commit and fails keeps it from nobody else, and undoes nothing', async () => {
  const store = await openTestStore();
  const heard: string[] = [];
  store.onCommitted(() => {
    throw new Error('deaf');
  });
  store.onCommitted((events) => heard.push(...events.map(({ type }) => type)));
  await store.transaction((trx) => setCpus(store, trx, 3));
  expect(heard).toEqual(['DefaultCpusChanged']);
});

describe('opened again', () => {
  it('a store has what was committed, and defines the first plans only once', async () => {
    const dataDir = newDataDir();
    const first = await openTestStore({ dataDir });
    await tell(first, command.RequestVm('create'));
    const events = await first.db.selectFrom('events').selectAll().execute();
    expect(events.filter(({ type }) => type === 'PlanDefined')).toHaveLength(4);
    await first.close();
    const second = await openTestStore({ dataDir });
    expect(await second.db.selectFrom('events').selectAll().execute()).toEqual(events);
    expect(await tell(second, command.RecordCreated('create'))).toMatchObject({
      state: { status: 'running' },
    });
  });

  it('writes every commit to the disk and overwrites what is deleted', async () => {
    const store = await openTestStore();
    const pragma = async (name: string) =>
      Object.values((await store.db.executeQuery<object>(CompiledQuery.raw(`pragma ${name}`))).rows[0]!)[0];
    expect(await pragma('journal_mode')).toBe('wal');
    expect(await pragma('synchronous')).toBe(2);
    expect(await pragma('secure_delete')).toBe(1);
    expect(await pragma('foreign_keys')).toBe(1);
  });
});
