import { CompiledQuery } from 'kysely';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Outcome } from '../../queues/catalog.ts';
import { createLog } from '../../shared/log.ts';
import { createVault, type Vault } from '../../shared/secrets/vault.ts';
import { command, vmId } from '../../shared/vm/testing/history.ts';
import { findOperation, findVm } from './queries.ts';
import { recordReport } from './reports.ts';
import { execCommandName, execOutputName, passwordName } from './sealed-names.ts';
import { createJobsPolicy } from './store/policies/jobs.ts';
import type { Store } from './store/store.ts';
import { openTestStore, tell } from './store/testing/store.ts';

/** Reports come at least once, late, and after something else was decided. */

const log = createLog('test', 'silent');
const at = '2026-01-01T00:01:00.000Z';
const succeeded = (result: unknown = {}): Outcome => ({ kind: 'succeeded', result });
const failed = (code: 'port-taken' | 'docker-refused', detail = ''): Outcome => ({
  kind: 'failed',
  reason: { code, detail },
});
const finished = { exitCode: 3, durationMs: 5, outputBytes: 9, truncated: false, timedOut: false };

let store: Store;
let vault: Vault;
/** What Redis holds beside the jobs. */
let beside: Map<string, Buffer>;
let redisIsAway: boolean;
let lastPort: number;

beforeEach(async () => {
  vault = createVault(Buffer.alloc(32, 1));
  store = await openTestStore({ policies: [createJobsPolicy({ vault })] });
  beside = new Map();
  redisIsAway = false;
  lastPort = 22_002;
  await store.transaction((trx) => vault.seal(trx, vmId, passwordName, 'a-password'));
  await tell(store, command.RequestVm('create'));
});

const record = (operationId: string, outcome: Outcome, attempt = 1): Promise<void> => {
  const ask = <T>(value: T): T => {
    if (redisIsAway) throw new Error('Redis is away');
    return value;
  };
  return recordReport(
    {
      store,
      vault,
      log,
      config: { SSH_PORT_RANGE: { first: 22_000, last: lastPort } },
      producer: {
        issueTicket: async () => undefined,
        readPrivate: async (name) => ask(beside.get(name) ?? null),
        forgetPrivate: async (...names) => {
          for (const name of names) ask(beside).delete(name);
        },
      },
    },
    { operationId, jobId: `${operationId}.${attempt}`, outcome, at },
  );
};
const created = () => tell(store, command.RecordCreated('create'));
const eventTypes = async (): Promise<string[]> =>
  (
    await store.db
      .selectFrom('events')
      .select('type')
      .where('stream', '=', `vm-${vmId}`)
      .orderBy('position')
      .execute()
  ).map(({ type }) => type);
const pragma = async (text: string): Promise<number> => {
  const { rows } = await store.db.executeQuery<Record<string, number>>(CompiledQuery.raw(`pragma ${text}`));
  return Object.values(rows[0] ?? {})[0] ?? 0;
};

describe('an outcome', () => {
  it.each([
    ['start', command.StartVm('o'), 'VmStarted', 'running'],
    ['restart', command.RestartVm('o'), 'VmRestarted', 'running'],
    ['stop', command.StopVm('o'), 'VmStopped', 'stopped'],
    ['destroy', command.DestroyVm('o'), 'VmDestroyed', 'destroyed'],
  ] as const)('of a %s becomes its event, once', async (kind, request, type, status) => {
    await created();
    if (kind === 'start') {
      await tell(store, command.StopVm('stop'));
      await record('stop', succeeded());
    }
    await tell(store, request);
    await record('o', succeeded());
    await record('o', succeeded());
    expect((await eventTypes()).filter((one) => one === type)).toHaveLength(1);
    expect(await findVm(store.db, vmId)).toMatchObject({ status });
  });

  it('that says something else than the first one changes nothing', async () => {
    await record('create', succeeded({ containerId: 'c', hostKeyFingerprint: 'k' }));
    const before = await eventTypes();
    await record('create', failed('docker-refused'));
    await record('create', { kind: 'cancelled' });
    expect(await eventTypes()).toEqual(before);
  });

  it('of an operation nobody knows changes nothing', async () => {
    await record('unknown', succeeded());
    expect(await eventTypes()).toEqual(['VmRequested']);
  });

  it('that is not what its job gives is refused and changes nothing', async () => {
    await expect(record('create', succeeded({ containerId: 7 }))).rejects.toThrow();
    expect(await eventTypes()).toEqual(['VmRequested']);
  });

  it('that the storage could not take comes again', async () => {
    // Grown by nothing but pages that are there already, until there are none.
    await pragma(`max_page_count = ${await pragma('page_count')}`);
    const detail = 'x'.repeat(100_000);
    await expect(record('create', failed('docker-refused', detail))).rejects.toThrow();
    expect(await eventTypes()).toEqual(['VmRequested']);
    await pragma('max_page_count = 100000');
    await record('create', failed('docker-refused', detail));
    expect(await eventTypes()).toEqual(['VmRequested', 'OperationFailed']);
  });
});

describe('a port in use', () => {
  const portTaken = failed('port-taken');

  it('leads from port to port, each with a job of its own', async () => {
    await record('create', portTaken);
    await record('create', portTaken, 2);
    const rows = await store.db.selectFrom('outbox').selectAll().orderBy('id').execute();
    expect(
      rows.map(({ job_id, payload }) => [job_id, (JSON.parse(payload!) as { sshPort: number }).sshPort]),
    ).toEqual([
      ['create.1', 22_000],
      ['create.2', 22_001],
      ['create.3', 22_002],
    ]);
    expect(await findOperation(store.db, 'create')).toMatchObject({ status: 'open', attempt: 3 });
  });

  it('said twice moves on once', async () => {
    await record('create', portTaken);
    await record('create', portTaken);
    expect(await findVm(store.db, vmId)).toMatchObject({ ssh_port: 22_001 });
  });

  it('with no other one free is a failure that is told', async () => {
    lastPort = 22_000;
    await record('create', portTaken);
    expect(await findOperation(store.db, 'create')).toMatchObject({
      status: 'failed',
      reason_code: 'port-taken',
    });
  });

  it('is told after many ports, rather than tried for ever', async () => {
    lastPort = 22_100;
    let attempt = 1;
    while ((await findOperation(store.db, 'create'))?.status === 'open' && attempt < 50) {
      await record('create', portTaken, attempt);
      attempt += 1;
    }
    expect(attempt).toBeLessThan(30);
    expect(await findVm(store.db, vmId)).toMatchObject({ status: 'failed' });
  });
});

describe('the output of a command', () => {
  beforeEach(async () => {
    await created();
    await store.transaction((trx) => vault.seal(trx, vmId, execCommandName('x'), 'echo'));
    await tell(store, command.RequestExec('x'));
    beside.set(execOutputName('x'), Buffer.from([0, 255, 10]));
    beside.set(execCommandName('x'), Buffer.from('echo'));
  });
  const output = () => vault.unsealBytes(store.db, vmId, execOutputName('x'));

  it('is sealed with its end, and both are gone from Redis', async () => {
    await record('x', succeeded(finished));
    expect(await output()).toEqual(Buffer.from([0, 255, 10]));
    expect([...beside.keys()]).toEqual([]);
    await record('x', succeeded(finished));
    expect(await output()).toEqual(Buffer.from([0, 255, 10]));
  });

  it('is kept also when its time limit ended it', async () => {
    await record('x', succeeded({ ...finished, timedOut: true }));
    expect(await findOperation(store.db, 'x')).toMatchObject({ status: 'timed-out' });
    expect(await output()).not.toBeNull();
  });

  it('is not lost when Redis cannot be asked for it: the report comes again', async () => {
    redisIsAway = true;
    await expect(record('x', succeeded(finished))).rejects.toThrow('Redis is away');
    expect(await findOperation(store.db, 'x')).toMatchObject({ status: 'open' });
    redisIsAway = false;
    await record('x', succeeded(finished));
    expect(await output()).not.toBeNull();
  });

  it('is not kept of a VM that is being destroyed', async () => {
    await tell(store, command.DestroyVm('destroy'));
    await record('x', succeeded(finished));
    await record('destroy', succeeded());
    expect(await output()).toBeNull();
    expect([...beside.keys()]).toEqual([]);
    const left = await store.db.selectFrom('sealed_values').selectAll().execute();
    expect(left).toEqual([]);
  });
});
