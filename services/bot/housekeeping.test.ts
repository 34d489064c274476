import { existsSync, readFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { createVault, type Vault } from '../../shared/secrets/vault.ts';
import { command, vmId } from '../../shared/vm/testing/history.ts';
import { emptyLog, forgetOldRows, forgetToldOutputs } from './housekeeping.ts';
import { createNotifications, operationMessageKey } from './notifications.ts';
import { execCommandName, execOutputName, passwordName } from './sealed-names.ts';
import { createJobsPolicy } from './store/policies/jobs.ts';
import { databasePath, type Store } from './store/store.ts';
import { newDataDir, openTestStore, tell } from './store/testing/store.ts';
import { forgetOldMessages, post } from './telegram/messages.ts';

/** The operations of these tests took place at the beginning of 2026. */
const minutesLater = (minutes: number) => new Date(Date.parse('2026-01-01T00:00:00.000Z') + minutes * 60_000);
const day = 24 * 60;

let dataDir: string;
let store: Store;
let vault: Vault;

beforeEach(async () => {
  dataDir = newDataDir();
  vault = createVault(Buffer.alloc(32, 1));
  store = await openTestStore({ dataDir, policies: [createJobsPolicy({ vault }), createNotifications([])] });
  await store.transaction((trx) => vault.seal(trx, vmId, passwordName, 'a-password'));
  await tell(store, command.RequestVm('create'));
  await tell(store, command.RecordCreated('create'));
});

const seal = (name: string) => store.transaction((trx) => vault.seal(trx, vmId, name, 'something'));
const runExec = async (operationId: string): Promise<void> => {
  await seal(execCommandName(operationId));
  await tell(store, command.RequestExec(operationId));
  await seal(execOutputName(operationId));
  await tell(store, command.RecordExecFinished(operationId));
};
const delivered = async (operationId: string): Promise<void> => {
  await store.db
    .updateTable('messages')
    .set(({ ref }) => ({ delivered_revision: ref('revision'), state: 'delivered' }))
    .where('key', '=', operationMessageKey(operationId))
    .execute();
};
const allSealedNames = async (): Promise<string[]> =>
  (await store.db.selectFrom('sealed_values').select('name').orderBy('name').execute()).map(
    ({ name }) => name,
  );
const isOfJob = (name: string): boolean => name.startsWith('job:');
const sealedNames = async (): Promise<string[]> => (await allSealedNames()).filter((name) => !isOfJob(name));
const forgetOutputs = (now: Date) => store.transaction((trx) => forgetToldOutputs(trx, vault, now));

describe('the text and output of a command', () => {
  it('stay for an hour after its end, and go then', async () => {
    await runExec('x');
    await delivered('x');
    expect(await forgetOutputs(minutesLater(59))).toBe(0);
    expect(await forgetOutputs(minutesLater(61))).toBe(2);
    expect(await sealedNames()).toEqual([passwordName]);
  });

  it('stay for as long as the chat has not shown them, and while the command runs', async () => {
    await runExec('untold');
    await seal(execCommandName('running'));
    await tell(store, command.RequestExec('running'));
    await delivered('running');
    expect(await forgetOutputs(minutesLater(day))).toBe(0);
  });

  it('go when nobody will be shown them any more', async () => {
    await runExec('x');
    await store.transaction((trx) => forgetOldMessages(trx, '2100-01-01'));
    await seal(execCommandName('refused'));
    expect(await forgetOutputs(minutesLater(day))).toBe(3);
    expect(await sealedNames()).toEqual([passwordName]);
  });
});

describe('old rows', () => {
  it('of updates go after a week', async () => {
    for (const [update_id, minutes] of [
      [1, 0],
      [2, 2 * day],
    ] as const) {
      const received_at = minutesLater(minutes).toISOString();
      await store.db.insertInto('updates').values({ bot_id: 1, update_id, received_at }).execute();
    }
    await store.transaction((trx) => forgetOldRows(trx, minutesLater(8 * day)));
    const left = await store.db.selectFrom('updates').select('update_id').execute();
    expect(left).toEqual([{ update_id: 2 }]);
  });

  it('of the outbox go three days after they were sent, unless their operation is still open', async () => {
    await runExec('ended');
    await tell(store, command.RequestExec('open'));
    await tell(store, command.RequestExec('unsent'));
    await tell(store, command.RecordExecFinished('unsent'));
    await store.db
      .updateTable('outbox')
      .set({ sent_at: minutesLater(0).toISOString() })
      .where('operation_id', '!=', 'unsent')
      .execute();
    await store.transaction((trx) => forgetOldRows(trx, minutesLater(2 * day)));
    expect(await store.db.selectFrom('outbox').selectAll().execute()).toHaveLength(4);
    expect((await allSealedNames()).filter(isOfJob)).toEqual(['job:create.1:access']);
    await store.transaction((trx) => forgetOldRows(trx, minutesLater(4 * day)));
    expect((await allSealedNames()).filter(isOfJob)).toEqual([]);
    const left = await store.db.selectFrom('outbox').select('operation_id').orderBy('id').execute();
    expect(left.map(({ operation_id }) => operation_id)).toEqual(['open', 'unsent']);
  });

  it('of messages go when nothing has changed them for long', async () => {
    const view = { kind: 'operation', operationId: 'x' } as const;
    await store.transaction((trx) => post(trx, { key: 'new', chatId: 1, view }));
    await store.db
      .updateTable('messages')
      .set({ updated_at: minutesLater(0).toISOString() })
      .where('key', '!=', 'new')
      .execute();
    await store.transaction((trx) => forgetOldMessages(trx, minutesLater(1).toISOString()));
    const left = await store.db.selectFrom('messages').select('key').execute();
    expect(left).toEqual([{ key: 'new' }]);
  });
});

describe('the files of the database', () => {
  it('hold nothing any more of the key of a destroyed VM', async () => {
    const { wrapped_key } = await store.db.selectFrom('vm_keys').selectAll().executeTakeFirstOrThrow();
    const holdKey = () =>
      ['', '-wal'].some((suffix) => {
        const path = `${databasePath(dataDir)}${suffix}`;
        return existsSync(path) && readFileSync(path).includes(Buffer.from(wrapped_key));
      });
    expect(holdKey()).toBe(true);
    await emptyLog(store);
    expect(holdKey()).toBe(true);
    await tell(store, command.DestroyVm('destroy'));
    await tell(store, command.RecordDestroyed('destroy'));
    await emptyLog(store);
    expect(holdKey()).toBe(false);
  });
});
