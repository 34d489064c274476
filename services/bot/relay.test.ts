import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { NewJob, Producer } from '../../queues/producer.ts';
import { createLog } from '../../shared/log.ts';
import { createVault, type Vault } from '../../shared/secrets/vault.ts';
import { command, vmId } from '../../shared/vm/testing/history.ts';
import { createRelay } from './relay.ts';
import { execCommandName, passwordName } from './sealed-names.ts';
import { createJobsPolicy } from './store/policies/jobs.ts';
import type { Store } from './store/store.ts';
import { openTestStore, tell } from './store/testing/store.ts';

/** What reaches Redis when, told by a producer that fails on demand. The real one is in data-path.test.ts. */

const log = createLog('test', 'silent');

let store: Store;
let vault: Vault;
/** In the order in which Redis heard of it: jobs by their id, cancellations, fences. */
let heard: string[];
/** Redis refuses so many additions, although its connection is there. */
let refusals: number;

beforeEach(async () => {
  vault = createVault(Buffer.alloc(32, 1));
  store = await openTestStore({ policies: [createJobsPolicy({ vault })] });
  heard = [];
  refusals = 0;
  await store.transaction((trx) => vault.seal(trx, vmId, passwordName, 'a-password'));
  await tell(store, command.RequestVm('create'));
});

const producer = {
  isReady: () => true,
  addMany: async (jobs: readonly NewJob[]) => {
    if (refusals > 0) {
      refusals -= 1;
      throw new Error('Connection is closed.');
    }
    heard.push(...jobs.map(({ jobId }) => jobId));
  },
  raiseFence: async (_vmId: string, epoch: number) => {
    heard.push(`fence ${epoch}`);
  },
  cancel: async (operationId: string) => {
    heard.push(`cancel ${operationId}`);
  },
  putPrivate: async (name: string) => {
    heard.push(name);
  },
} as unknown as Producer;

const relay = () => {
  const created = createRelay({ store, vault, producer, log });
  onTestFinished(() => created.close());
  return created;
};
const unsent = () =>
  store.db.selectFrom('outbox').select('operation_id').where('sent_at', 'is', null).orderBy('id').execute();
const everythingSent = () => vi.waitFor(async () => expect(await unsent()).toEqual([]), { timeout: 5_000 });
const exec = async (operationId: string): Promise<void> => {
  await store.transaction((trx) => vault.seal(trx, vmId, execCommandName(operationId), 'echo'));
  await tell(store, command.RequestExec(operationId));
};
const jobs = () => heard.filter((word) => /^[\w-]+\.\d+$/.test(word));

describe('the outbox', () => {
  it('goes out in its order, a command before its job and a fence before what it guards', async () => {
    await tell(store, command.RecordCreated('create'));
    await exec('x');
    await tell(store, command.CancelOperation('x'));
    await tell(store, command.StopVm('stop'));
    relay();
    await everythingSent();
    expect(jobs()).toEqual(['create.1', 'x.1', 'stop.1']);
    const place = (word: string) => heard.indexOf(word);
    expect(place(execCommandName('x'))).toBeLessThan(place('x.1'));
    expect(place('x.1')).toBeLessThan(place('cancel x'));
    expect(place('cancel x')).toBeLessThan(place('stop.1'));
    expect(place('fence 2')).toBeLessThan(place('stop.1'));
  });

  it('goes out however long it is, each row once', async () => {
    await tell(store, command.RecordCreated('create'));
    for (let number = 0; number < 450; number += 1) await exec(`x${number}`);
    const { wake } = relay();
    wake();
    await everythingSent();
    expect(jobs()).toEqual(['create.1', ...Array.from({ length: 450 }, (_, number) => `x${number}.1`)]);
  });

  it('is looked at when somebody says so', async () => {
    const { wake } = relay();
    await everythingSent();
    await tell(store, command.DestroyVm('destroy'));
    wake();
    await vi.waitFor(() => expect(jobs()).toContain('destroy.1'), { timeout: 500 });
  });
});

describe('a row', () => {
  it('that Redis could not take is not taken for sent, one or many', async () => {
    refusals = 3;
    const first = relay();
    await everythingSent();
    await first.close();
    expect(jobs()).toEqual(['create.1']);
    await tell(store, command.RecordCreated('create'));
    for (const id of ['x', 'y', 'z']) await exec(id);
    refusals = 2;
    relay();
    await everythingSent();
    expect(jobs()).toEqual(['create.1', 'x.1', 'y.1', 'z.1']);
  });

  it.each([
    ['a payload that does not fit', { payload: '{}' }],
    ['a payload that is no JSON', { payload: '{' }],
    ['a job that nobody knows', { job_name: 'dance' }],
  ])('with %s keeps no other one from going out', async (_what, fault) => {
    await tell(store, command.RecordCreated('create'));
    await exec('x');
    await store.db.updateTable('outbox').set(fault).where('operation_id', '=', 'create').execute();
    relay();
    await everythingSent();
    expect(jobs()).toEqual(['x.1']);
  });

  it('whose command was sealed with another key keeps no other one from going out', async () => {
    await tell(store, command.RecordCreated('create'));
    await exec('x');
    const { name, sealed } = await store.db
      .selectFrom('sealed_values')
      .selectAll()
      .where('name', '=', execCommandName('x'))
      .executeTakeFirstOrThrow();
    await store.db
      .updateTable('sealed_values')
      .set({ sealed: Buffer.from(sealed).reverse() })
      .where('name', '=', name)
      .execute();
    relay();
    await everythingSent();
    expect(jobs()).toEqual(['create.1']);
  });
});
