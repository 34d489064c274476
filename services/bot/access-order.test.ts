import { verify } from 'unixcrypt';
import { expect, it, onTestFinished } from 'vitest';
import type { VmCommand } from '../../shared/vm/commands.ts';
import { vm, vmStream } from '../../shared/vm/decider.ts';
import { passwordName } from './sealed-names.ts';
import { newDataDir } from './store/testing/store.ts';
import { administratorId, openBareBot } from './testing/bare-bot.ts';

/**
 * Several changes of password and keys at once. In the VM the newest wins whatever the order in which they arrive, and
 * the bot must come to the same end whatever the order in which it hears of them.
 */

const openWithVm = async () => {
  const bot = await openBareBot(newDataDir());
  const { store, vault } = bot;
  onTestFinished(() => store.close());
  const record = (command: VmCommand) =>
    store.transaction((trx) =>
      store.handle(trx, vm, vmStream(command.data.vmId), command, {
        actor: null,
        chat: null,
        correlationId: 'report',
        causationId: null,
      }),
    );
  const operations = () =>
    store.db
      .selectFrom('operations')
      .selectAll()
      .where('status', '=', 'open')
      .orderBy('requested_at')
      .execute();
  await bot.say(administratorId, '/create box');
  const [creation] = await operations();
  const vmId = creation!.vm_id!;
  const at = '2026-01-02T03:04:05.000Z';
  const data = { operationId: creation!.operation_id, vmId, at };
  await record({ type: 'RecordCreated', data: { ...data, containerId: 'c', hostKeyFingerprint: 'f' } });
  const say = async (text: string): Promise<string> => {
    await bot.say(administratorId, text);
    return (await operations()).at(-1)!.operation_id;
  };
  return {
    say,
    succeed: (operationId: string) =>
      record({ type: 'RecordAccessUpdated', data: { operationId, vmId, at } }),
    fail: (operationId: string) =>
      record({
        type: 'RecordFailed',
        data: { operationId, vmId, at, reason: { code: 'gave-up', detail: '' } },
      }),
    shown: () => vault.unseal(store.db, vmId, passwordName),
    /** Whether the hash that was sent to the VM with that operation is of that password. */
    opensWith: async (operationId: string, password: string | null): Promise<boolean> => {
      const { payload } = await store.db
        .selectFrom('outbox')
        .select('payload')
        .where('operation_id', '=', operationId)
        .executeTakeFirstOrThrow();
      return verify(password ?? '', JSON.parse(payload!).access.passwordHash);
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
