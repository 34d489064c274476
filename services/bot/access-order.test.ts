import { verify } from 'unixcrypt';
import { expect, it, onTestFinished } from 'vitest';
import type { Access } from '../../queues/catalog.ts';
import { passwordName } from './sealed-names.ts';
import { openPayload } from './store/sealed-payload.ts';
import { newDataDir } from './store/testing/store.ts';
import { administratorId, type BareBot, openBareBot } from './testing/bare-bot.ts';
import { at, bringUp, openOperations, record } from './testing/worker-words.ts';

/**
 * Several changes of password and keys at once. In the VM the newest wins whatever the order in which they arrive, and
 * the bot must come to the same end whatever the order in which it hears of them.
 */

const vmIdOf = async ({ store }: BareBot): Promise<string> =>
  (await store.db.selectFrom('vms').select('vm_id').executeTakeFirstOrThrow()).vm_id;

const openWithVm = async () => {
  const bot = await openBareBot(newDataDir());
  const { store, vault } = bot;
  onTestFinished(() => store.close());
  await bot.say(administratorId, '/create box');
  await bringUp(bot);
  const { vm_id: vmId } = await store.db.selectFrom('vms').select('vm_id').executeTakeFirstOrThrow();
  /** Gives the operation that it begins. */
  const say = async (text: string): Promise<string> => {
    await bot.say(administratorId, text);
    return (await openOperations(bot)).at(-1)!.operation_id;
  };
  const reason = { code: 'gave-up', detail: '' } as const;
  return {
    bot,
    say,
    succeed: (operationId: string) =>
      record(bot, { type: 'RecordAccessUpdated', data: { operationId, vmId, at } }),
    fail: (operationId: string) =>
      record(bot, { type: 'RecordFailed', data: { operationId, vmId, at, reason } }),
    shown: () => vault.unseal(store.db, vmId, passwordName),
    /** Whether the hash that was sent to the VM with that operation is of that password. */
    opensWith: async (operationId: string, password: string | null): Promise<boolean> => {
      const row = await store.db
        .selectFrom('outbox')
        .selectAll()
        .where('operation_id', '=', operationId)
        .executeTakeFirstOrThrow();
      const { access } = (await openPayload({ db: store.db, vault }, row)) as { access: Access };
      return verify(password ?? '', access.passwordHash);
    },
  };
};

const key = '/ssh_key ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDbv7KfYtUGKxTDLOLwZ7m9/7cbVpvzvVh7n1HptY0mz ada';

it('of two new passwords the newer one is shown, whichever is reported last', async () => {
  const { say, succeed, shown } = await openWithVm();
  const old = await shown();
  const [first, second] = [await say('/password'), await say('/password')];
  await succeed(second);
  const newer = await shown();
  expect(newer).not.toBe(old);
  await succeed(first);
  expect(await shown()).toBe(newer);
});

it('a key that comes while a new password is on its way brings that one, not the old one', async () => {
  const { say, succeed, shown, opensWith } = await openWithVm();
  const [change, keys] = [await say('/password'), await say(key)];
  await succeed(keys);
  const now = await shown();
  expect(await opensWith(keys, now)).toBe(true);
  expect(await opensWith(change, now)).toBe(true);
  await succeed(change);
  expect(await shown()).toBe(now);
});

it('a password that failed leaves the old one, also for the keys that come later', async () => {
  const { say, succeed, fail, shown, opensWith } = await openWithVm();
  const old = await shown();
  await fail(await say('/password'));
  expect(await shown()).toBe(old);
  const keys = await say(key);
  await succeed(keys);
  expect(await shown()).toBe(old);
  expect(await opensWith(keys, old)).toBe(true);
});

it('keys that wait for a VM to come up are told to the end, however many', async () => {
  const bot = await openBareBot(newDataDir());
  onTestFinished(() => bot.store.close());
  await bot.say(administratorId, '/create box');
  await bot.say(administratorId, key);
  await bot.say(administratorId, key.replace('IDbv', 'IEbv').replace(' ada', ' eve'));
  const shown = async () =>
    (await bot.everythingShown()).map(({ content }) => content.text).filter((text) => text.includes('Added'));
  for (const text of await shown()) expect(text).toContain('⏳ box: as soon as it is up');
  await bringUp(bot);
  const [operation] = await openOperations(bot);
  const { operation_id: operationId, vm_id: vmId } = operation!;
  await record(bot, { type: 'RecordAccessUpdated', data: { operationId, vmId: vmId!, at } });
  expect(await shown()).toHaveLength(2);
  for (const text of await shown()) expect(text).toContain('✅ box: in force');
});

it('a removal that comes first is told as that', async () => {
  const { say, bot } = await openWithVm();
  await say('/password');
  await say(key);
  const data = { operationId: 'gone', vmId: await vmIdOf(bot), at };
  await record(bot, { type: 'DestroyVm', data });
  const texts = (await bot.everythingShown()).map(({ content }) => content.text).join('\n');
  expect(texts).toContain('got no new password: it was destroyed first');
  expect(texts).toContain('🗑 box: gone meanwhile');
});
