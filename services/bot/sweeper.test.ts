import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Report } from '../../queues/catalog.ts';
import type { Inspection, JobAddress } from '../../queues/producer.ts';
import { createProducer, type Producer } from '../../queues/producer.ts';
import { linkSecret } from '../../queues/testing/link-secret.ts';
import { createLog } from '../../shared/log.ts';
import { createVault, type Vault } from '../../shared/secrets/vault.ts';
import { type StrayCommand, strayStream, strays } from '../../shared/stray/stray.ts';
import { someThing } from '../../shared/stray/testing/things.ts';
import { thingKey } from '../../shared/stray/thing.ts';
import { command, vmId } from '../../shared/vm/testing/history.ts';
import { startRedis, type TestRedis } from '../../tests/support/redis.ts';
import { findOperation, findVm } from './queries.ts';
import { createRelay } from './relay.ts';
import { recordReport } from './reports.ts';
import { execCommandName, passwordName } from './sealed-names.ts';
import { createJobsPolicy } from './store/policies/jobs.ts';
import type { Store } from './store/store.ts';
import { metadata, openTestStore, tell } from './store/testing/store.ts';
import { createSweeper } from './sweeper.ts';

/** What the sweeper makes of each state that it can find a job in. Operations are of the beginning of 2026. */

const log = createLog('test', 'silent');
const minute = 60_000;
const minutesLater = (minutes: number) => () => Date.parse('2026-01-01T00:00:00.000Z') + minutes * minute;

let redis: TestRedis;
let store: Store;
let vault: Vault;
let producer: Producer;
/** What the queue says of a job, where a test does not leave that to the queue. */
let found: Inspection | null;
let cancelled: string[];
let refuse: (report: Pick<Report, 'operationId'>) => boolean;

beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());

beforeEach(async () => {
  vault = createVault(Buffer.alloc(32, 1));
  store = await openTestStore({ policies: [createJobsPolicy({ vault })] });
  const instance = `s${Math.random().toString(36).slice(2, 8)}`;
  const real = createProducer({ redisUrl: redis.url, instance, linkSecret, log });
  onTestFinished(() => real.close());
  found = null;
  cancelled = [];
  refuse = () => false;
  producer = {
    ...real,
    inspect: async (address: JobAddress) => found ?? real.inspect(address),
    cancel: async (operationId: string) => {
      cancelled.push(operationId);
      await real.cancel(operationId);
    },
  };
  await vi.waitFor(() => expect(producer.isReady()).toBe(true));
  await store.transaction((trx) => vault.seal(trx, vmId, passwordName, 'a-password'));
  await tell(store, command.RequestVm('create'));
});

const sweep = async (now: () => number): Promise<void> => {
  const config = { SSH_PORT_RANGE: { first: 22_000, last: 22_002 } };
  const sweeper = createSweeper({
    store,
    vault,
    producer,
    log,
    now,
    interval: 1_000_000,
    record: async (report) => {
      if (refuse(report)) throw new Error('the disk is full');
      await recordReport({ store, vault, producer, config, log }, report);
    },
  });
  onTestFinished(() => sweeper.close());
  await sweeper.sweep();
};
const created = () => tell(store, command.RecordCreated('create'));
const exec = async (operationId: string): Promise<void> => {
  await store.transaction((trx) => vault.seal(trx, vmId, execCommandName(operationId), 'echo hello'));
  await tell(store, command.RequestExec(operationId));
};
/** As if the relay had sent everything at the moment it was asked for. */
const sent = () => store.db.updateTable('outbox').set({ sent_at: '2025-12-31T23:00:00.000Z' }).execute();
const statusOf = async (operationId: string) => {
  const { status, reason_code } = (await findOperation(store.db, operationId))!;
  return [status, reason_code];
};

describe('a job that the queue itself gave up', () => {
  it('means that the operation failed, and is told so', async () => {
    await sent();
    found = { state: 'failed', outcome: null };
    await sweep(minutesLater(1));
    expect(await statusOf('create')).toEqual(['failed', 'gave-up']);
    expect(await findVm(store.db, vmId)).toMatchObject({ status: 'failed' });
  });

  it('means of a command that nobody knows how it ended', async () => {
    await created();
    await exec('x');
    await sent();
    found = { state: 'failed', outcome: null };
    await sweep(minutesLater(1));
    expect(await statusOf('x')).toEqual(['failed', 'outcome-unknown']);
  });
});

describe('a job that Redis lost', () => {
  it('is added again with the command that it runs', async () => {
    await created();
    await exec('x');
    await sent();
    await sweep(minutesLater(1));
    expect((await producer.inspect({ jobName: 'exec', host: 'local', jobId: 'x.1' })).state).toBe('waiting');
    expect((await producer.readPrivate(execCommandName('x')))?.toString()).toBe('echo hello');
  });

  it('is left to the relay when it was not sent yet, or a moment ago', async () => {
    const address: JobAddress = { jobName: 'create-vm', host: 'local', jobId: 'create.1' };
    await sweep(minutesLater(1));
    expect((await producer.inspect(address)).state).toBe('absent');
    await store.db
      .updateTable('outbox')
      .set({ sent_at: new Date(minutesLater(0)()).toISOString() })
      .execute();
    await sweep(minutesLater(1));
    expect((await producer.inspect(address)).state).toBe('absent');
    await sweep(minutesLater(20));
    expect((await producer.inspect(address)).state).toBe('waiting');
  });
});

describe('a job that waits or runs', () => {
  it('hears again that it was cancelled, until it has ended', async () => {
    await created();
    await exec('x');
    await exec('untouched');
    await tell(store, command.CancelOperation('x'));
    await sent();
    for (const state of ['waiting', 'active', 'delayed', 'waiting-children'] as const) {
      found = { state, outcome: null };
      await sweep(minutesLater(1));
    }
    expect(cancelled).toEqual(['x', 'x', 'x', 'x']);
    expect(await statusOf('x')).toEqual(['open', null]);
    found = { state: 'completed', outcome: { kind: 'cancelled' } };
    await sweep(minutesLater(1));
    expect(await statusOf('x')).toEqual(['cancelled', null]);
  });
});

describe('an operation that takes too long', () => {
  it.each([
    ['create', 44, 'open'],
    ['create', 46, 'timed-out'],
    ['stop', 14, 'open'],
    ['stop', 16, 'timed-out'],
    ['destroy', 29, 'open'],
    ['destroy', 31, 'timed-out'],
    // Its own time limit is a minute.
    ['exec', 5, 'open'],
    ['exec', 7, 'timed-out'],
  ])('%s is after %d minutes %s', async (kind, minutes, status) => {
    if (kind !== 'create') await created();
    if (kind === 'stop') await tell(store, command.StopVm('stop'));
    if (kind === 'destroy') await tell(store, command.DestroyVm('destroy'));
    if (kind === 'exec') await exec('exec');
    await sent();
    found = { state: 'active', outcome: null };
    await sweep(minutesLater(minutes));
    expect((await statusOf(kind))[0]).toBe(status);
  });

  it('ends in time also while Redis is away', async () => {
    await created();
    await exec('x');
    await redis.kill9();
    await sweep(minutesLater(7));
    await redis.restart();
    expect((await statusOf('x'))[0]).toBe('timed-out');
  });
});

describe('a sweep', () => {
  it('goes on to the next operation when one cannot be looked after', async () => {
    await created();
    for (const id of ['bad', 'good']) await exec(id);
    await sent();
    refuse = ({ operationId }) => operationId === 'bad';
    found = { state: 'completed', outcome: { kind: 'cancelled' } };
    await sweep(minutesLater(1));
    expect([(await statusOf('bad'))[0], (await statusOf('good'))[0]]).toEqual(['open', 'cancelled']);
  });

  it('leads to nothing more than the first when it is done again', async () => {
    await created();
    await exec('x');
    await sent();
    found = { state: 'failed', outcome: null };
    for (let time = 0; time < 3; time += 1) await sweep(minutesLater(1));
    const events = await store.db
      .selectFrom('events')
      .select('type')
      .where('type', '=', 'OperationFailed')
      .execute();
    expect(events).toHaveLength(1);
  });
});

describe('relay and sweeper together', () => {
  it('bring back everything after Redis was wiped while many operations were under way', async () => {
    await created();
    const ids = Array.from({ length: 30 }, (_, number) => `x${number}`);
    for (const id of ids) await exec(id);
    const relay = createRelay({ store, vault, producer, log });
    onTestFinished(() => relay.close());
    const states = () =>
      Promise.all(
        ids.map(
          async (id) => (await producer.inspect({ jobName: 'exec', host: 'local', jobId: `${id}.1` })).state,
        ),
      );
    const waiting = ids.map(() => 'waiting');
    await vi.waitFor(async () => expect(await states()).toEqual(waiting));
    await relay.close();
    await redis.wipe();
    await sent();
    await sweep(minutesLater(1));
    expect(await states()).toEqual(waiting);
  });
});

describe('a removal of strays', () => {
  const stray = { ...someThing({ vmId: 'unknown' }), reason: 'unknown-vm' as const };
  const tellStrays = (told: StrayCommand) =>
    store.transaction((trx) => store.handle(trx, strays, strayStream('local'), told, metadata));
  const at = '2026-01-01T00:00:00.000Z';
  beforeEach(async () => {
    await created();
    await tellStrays({ type: 'RecordStrays', data: { host: 'local', at, present: null, certain: [stray] } });
    const ids = { operationId: 'removal', host: 'local', at };
    await tellStrays({ type: 'RequestStrayRemoval', data: { ...ids, keys: [thingKey(stray)], by: 42 } });
  });

  it('is added again when Redis has lost it, and raises no VM’s fence', async () => {
    await sent();
    await sweep(minutesLater(1));
    const address: JobAddress = { jobName: 'remove-strays', host: 'local', jobId: 'removal.1' };
    expect((await producer.inspect(address)).state).toBe('waiting');
    expect(await producer.redis.keys('*:fence:undefined')).toEqual([]);
  });

  it('ends by what its job says, and in time where that says nothing', async () => {
    await sent();
    found = { state: 'failed', outcome: null };
    await sweep(minutesLater(1));
    expect(await statusOf('removal')).toEqual(['failed', 'gave-up']);
    const ids = { operationId: 'removal-2', host: 'local', at };
    await tellStrays({ type: 'RequestStrayRemoval', data: { ...ids, keys: [thingKey(stray)], by: 42 } });
    found = { state: 'active', outcome: null };
    await sweep(minutesLater(16));
    expect(await statusOf('removal-2')).toEqual(['timed-out', null]);
    expect((await store.db.selectFrom('strays').selectAll().execute())[0]).toMatchObject({
      operation_id: null,
      gone_at: null,
    });
  });
});

it('an operation whose job was made later, as after a restore, has its time from then on', async () => {
  const created_at = new Date(minutesLater(600)()).toISOString();
  await store.db.updateTable('outbox').set({ created_at }).execute();
  await sweep(minutesLater(620));
  expect(await statusOf('create')).toEqual(['open', null]);
  await sweep(minutesLater(700));
  expect(await statusOf('create')).toEqual(['timed-out', null]);
});
