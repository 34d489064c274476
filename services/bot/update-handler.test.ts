import { Writable } from 'node:stream';
import { CompiledQuery } from 'kysely';
import type { Update } from 'telegraf/types';
import { beforeEach, describe, expect, it } from 'vitest';
import { createLog } from '../../shared/log.ts';
import { createVault, type Vault } from '../../shared/secrets/vault.ts';
import type { BotConfig, Toast } from './conversation.ts';
import { isStorageFault } from './store/faults.ts';
import { createJobsPolicy } from './store/policies/jobs.ts';
import type { Store } from './store/store.ts';
import { openTestStore } from './store/testing/store.ts';
import { createUpdateHandler, type UpdateHandler } from './update-handler.ts';

/** One update, once, whatever happens meanwhile. */

const ada = 1001;
const from = { id: ada, is_bot: false, first_name: 'Ada' };
const chat = { id: ada, type: 'private', first_name: 'Ada' };
const config: BotConfig = {
  INSTANCE: 'test',
  ADMIN_USER_ID: [ada],
  HOST_ID: 'h1',
  SSH_PORT_RANGE: { first: 22_000, last: 22_009 },
  SSH_PUBLIC_HOST: 'localhost',
  EXEC_TIMEOUT: 5,
};

const noHosts = {
  workers: () => [],
  factsOf: () => null,
  gpuOf: () => null,
  queuesOf: () => [],
  gateways: () => [],
  troubleOf: () => null,
  redis: () => 'answers' as const,
};

let store: Store;
let vault: Vault;
/** The vault's seal throws this, once: a fault in the middle of a command. */
let fault: Error | null;
let handle: UpdateHandler;
let lines: string;
let toasts: (Toast | null)[];
let reachable: string[];

beforeEach(async () => {
  vault = createVault(Buffer.alloc(32, 1));
  store = await openTestStore({ policies: [createJobsPolicy({ vault })] });
  fault = null;
  lines = '';
  toasts = [];
  reachable = [];
  const seal: Vault['seal'] = async (...values) => {
    await vault.seal(...values);
    const thrown = fault;
    fault = null;
    if (thrown !== null) throw thrown;
  };
  const destination = new Writable({
    write(piece, _encoding, done) {
      lines += piece;
      done();
    },
  });
  handle = createUpdateHandler({
    store,
    vault: { ...vault, seal },
    config,
    bot: { id: 7, username: 'berth_bot' },
    log: createLog('test', 'info', destination),
    answerCallback: (_id, toast) => toasts.push(toast),
    showTyping: () => undefined,
    measure: () => undefined,
    hosts: noHosts,
    lookAtHosts: () => undefined,
    probeGpu: () => undefined,
    deleteMessage: () => undefined,
    closeTerminals: () => undefined,
    onReachable: (id) => reachable.push(`${id} can be reached`),
    onUnreachable: (id) => reachable.push(`${id} cannot be reached`),
  });
});

const message = (updateId: number, text: string): Update =>
  ({ update_id: updateId, message: { message_id: updateId, date: 0, chat, from, text } }) as Update;
const press = (updateId: number, data: string): Update =>
  ({
    update_id: updateId,
    callback_query: {
      id: `q${updateId}`,
      from,
      chat_instance: '1',
      data,
      message: { message_id: 1, date: 0, chat },
    },
  }) as Update;

const answers = async (): Promise<string[]> => {
  const rows = await store.db.selectFrom('messages').selectAll().orderBy('created_at').execute();
  return rows.map(({ view }) => (JSON.parse(view) as { content: { text: string } }).content.text);
};
const countOf = async (table: 'vms' | 'outbox' | 'updates' | 'sealed_values'): Promise<number> =>
  (await store.db.selectFrom(table).selectAll().execute()).length;
const pragma = async (text: string): Promise<number> => {
  const { rows } = await store.db.executeQuery<Record<string, number>>(CompiledQuery.raw(`pragma ${text}`));
  return Object.values(rows[0] ?? {})[0] ?? 0;
};

describe('an update', () => {
  it('that comes twice is done once, whether one after the other or at the same time', async () => {
    const update = message(1, '/create box');
    await Promise.all([handle(update), handle(update)]);
    await handle(update);
    expect(await countOf('vms')).toBe(1);
    expect(await countOf('outbox')).toBe(1);
    await handle(message(3, '/plans'));
    await handle(message(3, '/plans'));
    expect(await answers()).toHaveLength(1);
  });

  it('of another bot with the same number is another update', async () => {
    await handle(message(1, '/plans'));
    await store.db.updateTable('updates').set({ bot_id: 8 }).execute();
    await store.db.updateTable('messages').set({ key: 'of the other bot' }).execute();
    await handle(message(1, '/plans'));
    expect(await answers()).toHaveLength(2);
  });

  it('that concerns nobody is not even remembered', async () => {
    await handle({
      update_id: 1,
      edited_message: { message_id: 1, date: 0, chat, from, text: '/create' },
    } as never);
    await handle({ update_id: 2, poll: {} } as never);
    expect(await countOf('updates')).toBe(0);
    expect(reachable).toEqual([]);
  });

  it('shows whether its person can be reached', async () => {
    const membership = (updateId: number, status: string) =>
      ({
        update_id: updateId,
        my_chat_member: { chat, from, date: 0, new_chat_member: { status } },
      }) as never;
    await handle(membership(1, 'kicked'));
    await handle(membership(2, 'member'));
    await handle(message(3, '/plans'));
    expect(reachable).toEqual(['1001 cannot be reached', '1001 can be reached', '1001 can be reached']);
  });
});

describe('a fault in a command', () => {
  it('undoes all of it, is told with an id that finds its cause in the log, and the update is done', async () => {
    fault = new Error('the cause of it all');
    await handle(message(1, '/create box'));
    expect([await countOf('vms'), await countOf('outbox'), await countOf('sealed_values')]).toEqual([
      0, 0, 0,
    ]);
    const [told, ...more] = await answers();
    expect(more).toEqual([]);
    expect(told).not.toContain('cause');
    const id = /this id: (\w+)/.exec(told ?? '')?.[1];
    const logged = lines.split('\n').filter((line) => id !== undefined && line.includes(id));
    expect(logged.join()).toContain('the cause of it all');
    await handle(message(1, '/create box'));
    expect(await countOf('vms')).toBe(0);
    await handle(message(2, '/create box'));
    expect(await countOf('vms')).toBe(1);
  });

  it('of a button still ends its waiting', async () => {
    fault = new Error('broken');
    await handle(press(1, 'create'));
    expect(toasts).toHaveLength(1);
    expect((await answers()).join()).toContain('fault');
    await handle(press(2, 'no-such-action'));
    expect(toasts[1]).toMatchObject({ alert: true });
  });

  it('of the storage rejects and leaves nothing; the same update works once the storage does', async () => {
    const full = (await pragma('page_count')) - (await pragma('freelist_count'));
    await pragma(`max_page_count = ${full}`);
    // Rows small enough fit into pages that are there: ask until one does not.
    let failed: { update: Update; error: unknown } | null = null;
    for (let number = 1; failed === null && number < 500; number += 1) {
      const update = message(number, `/nothing-of-the-kind ${'x'.repeat(900)}`);
      await handle(update).catch((error) => {
        failed = { update, error };
      });
    }
    const { update, error } = failed! as { update: Update; error: unknown };
    expect(isStorageFault(error)).toBe(true);
    const before = await answers();
    const updates = await countOf('updates');
    await pragma('max_page_count = 100000');
    await handle(update);
    expect(await countOf('updates')).toBe(updates + 1);
    expect(await answers()).toHaveLength(before.length + 1);
    expect((await answers()).join()).not.toContain('fault');
  });
});
