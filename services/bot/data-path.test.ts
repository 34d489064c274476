import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { catalog, type Outcome } from '../../queues/catalog.ts';
import { createConsumer } from '../../queues/consumer.ts';
import { createProducer, type Producer } from '../../queues/producer.ts';
import { linkSecret } from '../../queues/testing/link-secret.ts';
import { concurrency, succeeding } from '../../queues/testing/processors.ts';
import { createLog } from '../../shared/log.ts';
import { createVault, type Vault } from '../../shared/secrets/vault.ts';
import { startRedis, type TestRedis } from '../../tests/support/redis.ts';
import { findOperation, findVm } from './queries.ts';
import { createRelay } from './relay.ts';
import { recordReport } from './reports.ts';
import { execCommandName, execOutputName, passwordName } from './sealed-names.ts';
import { createJobsPolicy } from './store/policies/jobs.ts';
import type { Store } from './store/store.ts';
import { openTestStore, tell } from './store/testing/store.ts';
import { createSweeper } from './sweeper.ts';

/** From an event to Redis and back: the relay, the sweeper and the recording of reports. */

const log = createLog('test', 'silent');
const config = { SSH_PORT_RANGE: { first: 22_000, last: 22_002 } };
const at = new Date().toISOString();
const limits = { memoryBytes: 1, cpus: 1, diskBytes: 1, gpu: false, sudo: true };

let redis: TestRedis;
let store: Store;
let vault: Vault;
let producer: Producer;
let instance: string;

beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());

beforeEach(async () => {
  instance = `d${Math.random().toString(36).slice(2, 8)}`;
  vault = createVault(Buffer.alloc(32, 1));
  store = await openTestStore({ policies: [createJobsPolicy({ vault })] });
  producer = createProducer({ redisUrl: redis.url, instance, linkSecret, log });
  onTestFinished(() => producer.close());
  await vi.waitFor(() => expect(producer.isReady()).toBe(true));
});

const requestVm = async (vmId = 'v1', operationId = 'o1', sshPort = 22_000): Promise<void> => {
  await store.transaction((trx) => vault.seal(trx, vmId, passwordName, 'a-password'));
  const data = { operationId, vmId, at, owner: 42, name: 'box', host: 'h1', limits, plan: null, sshPort };
  await tell(store, { type: 'RequestVm', data });
};
const running = async (): Promise<void> => {
  await requestVm();
  const data = { operationId: 'o1', vmId: 'v1', at, containerId: 'c', hostKeyFingerprint: 'k' };
  await tell(store, { type: 'RecordCreated', data });
};
const requestExec = async (operationId: string): Promise<void> => {
  await store.transaction((trx) => vault.seal(trx, 'v1', execCommandName(operationId), 'echo canary'));
  await tell(store, {
    type: 'RequestExec',
    data: { operationId, vmId: 'v1', at: new Date().toISOString(), timeoutSeconds: 5 },
  });
};

const relay = () => {
  const created = createRelay({ store, vault, producer, log });
  onTestFinished(() => created.close());
  return created;
};
const create = (operationId: string, attempt = 1) => ({
  jobName: catalog.createVm.name,
  host: 'h1',
  jobId: `${operationId}.${attempt}`,
});
const state = async (address: Parameters<Producer['inspect']>[0]) => (await producer.inspect(address)).state;
const arrives = (address: Parameters<Producer['inspect']>[0], wanted = 'waiting') =>
  vi.waitFor(async () => expect(await state(address)).toBe(wanted), { timeout: 10_000 });

const record = (operationId: string, outcome: Outcome, attempt = 1) =>
  recordReport(
    { store, vault, producer, config, log },
    { operationId, jobId: `${operationId}.${attempt}`, outcome, at },
  );
const createdOutcome: Outcome = { kind: 'succeeded', result: { containerId: 'c', hostKeyFingerprint: 'k' } };
const finished = { exitCode: 3, durationMs: 5, outputBytes: 9, truncated: false, timedOut: false };

const sweeper = (now = Date.now) => {
  const created = createSweeper({
    store,
    vault,
    producer,
    log,
    now,
    interval: 1_000_000,
    record: (report) => recordReport({ store, vault, producer, config, log }, report),
  });
  onTestFinished(() => created.close());
  return created;
};
/** As if a long time had passed since the jobs were sent. */
const later = () => Date.now() + 2_000_000;

describe('the relay', () => {
  it('brings a job to Redis with everything its worker needs and no secret', async () => {
    await requestVm();
    relay();
    await arrives(create('o1'));
    const [row] = await store.db.selectFrom('outbox').selectAll().execute();
    const job = JSON.stringify(await producer.redis.hgetall(`${instance}:lifecycle.h1:o1.1`));
    expect(job).toContain('access');
    for (const written of [row?.payload, job]) expect(written).not.toMatch(/\$6\$|a-password/);
    expect(await producer.redis.get(`${instance}:fence:v1`)).toBe('1');
    await vi.waitFor(async () =>
      expect(await store.db.selectFrom('outbox').where('sent_at', 'is', null).selectAll().execute()).toEqual(
        [],
      ),
    );
  });

  it('puts the text of a command beside its job, not into it', async () => {
    await running();
    await requestExec('e1');
    relay();
    await arrives({ jobName: 'exec', host: 'h1', jobId: 'e1.1' });
    expect((await producer.readPrivate(execCommandName('e1')))?.toString()).toBe('echo canary');
    expect(JSON.stringify(await producer.redis.hgetall(`${instance}:exec.h1:e1.1`))).not.toContain('canary');
  });

  it('sends anew what it had sent when it died before noting it, and adds nothing by that', async () => {
    await requestVm();
    const first = relay();
    await arrives(create('o1'));
    await first.close();
    await store.db.updateTable('outbox').set({ sent_at: null }).execute();
    relay();
    await vi.waitFor(async () =>
      expect(await store.db.selectFrom('outbox').where('sent_at', 'is', null).selectAll().execute()).toEqual(
        [],
      ),
    );
    expect(await producer.redis.llen(`${instance}:lifecycle.h1:wait`)).toBe(1);
  });

  it('waits while Redis is away, and sends everything in its order when it is back', async () => {
    await redis.kill9();
    await requestVm('v1', 'o1');
    await requestVm('v2', 'o2', 22_001);
    relay();
    await redis.restart();
    await arrives(create('o1'));
    await arrives(create('o2'));
  });

  it('is not stopped by one row at fault', async () => {
    await requestVm('v1', 'o1');
    await requestVm('v2', 'o2', 22_001);
    await store.db.updateTable('outbox').set({ payload: '{}' }).where('operation_id', '=', 'o1').execute();
    relay();
    await arrives(create('o2'));
  });

  it('tells the worker of an operation that was cancelled', async () => {
    await requestVm();
    const data = { operationId: 'o1', vmId: 'v1', at, undoOperationId: 'undo' };
    await tell(store, { type: 'CancelOperation', data });
    relay();
    await arrives({ jobName: 'destroy-vm', host: 'h1', jobId: 'undo.1' });
    expect(await producer.redis.exists(`${instance}:cancel:o1`)).toBe(1);
    expect(await producer.redis.get(`${instance}:fence:v1`)).toBe('2');
  });
});

describe('a report', () => {
  it('becomes the event that it fits, once', async () => {
    await requestVm();
    await record('o1', createdOutcome);
    await record('o1', createdOutcome);
    expect(await findVm(store.db, 'v1')).toMatchObject({ status: 'running', container_id: 'c' });
    const events = await store.db.selectFrom('events').where('stream', '=', 'vm-v1').selectAll().execute();
    expect(events.map(({ type }) => type)).toEqual(['VmRequested', 'VmCreated']);
  });

  it('of an operation that another one ended changes nothing', async () => {
    await requestVm();
    await tell(store, { type: 'DestroyVm', data: { operationId: 'd1', vmId: 'v1', at } });
    await record('o1', createdOutcome);
    expect(await findVm(store.db, 'v1')).toMatchObject({ status: 'destroying' });
    await record('d1', { kind: 'succeeded', result: {} });
    expect(await findVm(store.db, 'v1')).toMatchObject({ status: 'destroyed' });
    expect(await vault.unseal(store.db, 'v1', passwordName)).toBeNull();
  });

  it('of a port in use leads to the next free one, and a new job; the old job has no say any more', async () => {
    await requestVm('other', 'x', 22_001);
    await requestVm();
    await record('o1', { kind: 'failed', reason: { code: 'port-taken', detail: '' } });
    expect(await findVm(store.db, 'v1')).toMatchObject({ status: 'creating', ssh_port: 22_002, epoch: 2 });
    await record('o1', { kind: 'failed', reason: { code: 'docker-refused', detail: '' } }, 1);
    expect(await findOperation(store.db, 'o1')).toMatchObject({ status: 'open', attempt: 2 });
    relay();
    await arrives(create('o1', 2));
    await record('o1', createdOutcome, 2);
    expect(await findVm(store.db, 'v1')).toMatchObject({ status: 'running', ssh_port: 22_002 });
  });

  it('brings the output of a command into the sealed store, and it is gone from Redis', async () => {
    await running();
    await requestExec('e1');
    await producer.putPrivate(execOutputName('e1'), Buffer.from('printed\0'));
    await record('e1', { kind: 'succeeded', result: finished });
    expect((await vault.unsealBytes(store.db, 'v1', execOutputName('e1')))?.toString()).toBe('printed\0');
    expect(await producer.readPrivate(execOutputName('e1'))).toBeNull();
    expect(await findOperation(store.db, 'e1')).toMatchObject({ status: 'succeeded', exit_code: 3 });
  });
});

describe('the sweeper', () => {
  it('adds again what Redis lost', async () => {
    await requestVm();
    relay();
    await arrives(create('o1'));
    await vi.waitFor(async () =>
      expect(await store.db.selectFrom('outbox').where('sent_at', 'is', null).selectAll().execute()).toEqual(
        [],
      ),
    );
    await redis.wipe();
    expect(await state(create('o1'))).toBe('absent');
    await sweeper(later).sweep();
    expect(await state(create('o1'))).toBe('waiting');
    expect(await producer.redis.get(`${instance}:fence:v1`)).toBe('1');
  });

  it('takes an outcome whose report was lost from the job', async () => {
    await requestVm();
    const consumer = createConsumer({
      linkSecret,
      redisUrl: redis.url,
      instance,
      host: 'h1',
      concurrency,
      log,
      processors: succeeding,
    });
    onTestFinished(() => consumer.close());
    const sending = relay();
    await arrives(create('o1'), 'completed');
    await sending.close();
    await sweeper(later).sweep();
    expect(await findVm(store.db, 'v1')).toMatchObject({ status: 'running' });
  });

  it('ends what goes on for too long, and tells its worker to stop', async () => {
    await running();
    await requestExec('e1');
    relay();
    await arrives({ jobName: 'exec', host: 'h1', jobId: 'e1.1' });
    await sweeper(() => Date.now() + 6 * 60_000).sweep();
    expect(await findOperation(store.db, 'e1')).toMatchObject({ status: 'timed-out' });
    const rows = await store.db.selectFrom('outbox').where('kind', '=', 'cancel').selectAll().execute();
    expect(rows.map(({ operation_id }) => operation_id)).toEqual(['e1']);
  });

  it('leaves alone what waits or runs', async () => {
    await requestVm();
    relay();
    await arrives(create('o1'));
    await sweeper().sweep();
    expect(await findOperation(store.db, 'o1')).toMatchObject({ status: 'open' });
    expect(await state(create('o1'))).toBe('waiting');
  });
});
