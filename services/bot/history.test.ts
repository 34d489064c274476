import { expect, it, onTestFinished } from 'vitest';
import { newDataDir } from './store/testing/store.ts';
import { administratorId, openBareBot, textOf } from './testing/bare-bot.ts';
import { at, bringUp, openOperations, record } from './testing/worker-words.ts';

/** Who is named where one person ends what another one began, and where nobody asked at that moment. */

const user = 2001;

const openWithVm = async () => {
  const bot = await openBareBot(newDataDir());
  onTestFinished(() => bot.store.close());
  await bot.say(administratorId, `/allow_user ${user} 1`);
  await bot.say(user, '/create box');
  const lines = async (id: number, text: string): Promise<string[]> =>
    (await bot.say(id, text)).heard
      .flatMap((heard) => textOf(heard).split('\n').slice(1))
      .map((line) => line.replace(/^• \d+ \w+ \d\d:\d\d /, ''));
  return { bot, lines };
};
const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDbv7KfYtUGKxTDLOLwZ7m9/7cbVpvzvVh7n1HptY0mz ada';

it('a command that ends because its owner was taken off the list was ended by the administrator', async () => {
  const { bot, lines } = await openWithVm();
  await bringUp(bot);
  await bot.say(user, '/exec sleep 60');
  const [command] = await openOperations(bot);
  const { operation_id: operationId, vm_id } = command!;
  await bot.say(administratorId, `/remove_user ${user}`);
  await record(bot, { type: 'RecordCancelled', data: { operationId, vmId: vm_id!, at } });
  const audit = await lines(administratorId, `/audit ${user}`);
  expect(audit).toContain(`cancel the command on box of P${user} — you`);
  expect(audit).toContain(`cancel: a command of box of P${user} — you`);
  await bot.say(administratorId, `/allow_user ${user}`);
  expect(await lines(user, '/history')).toContain(`box a command cancelled — P${administratorId}`);
});

it('a creation that ends because an administrator destroys the VM was ended by them', async () => {
  const { bot, lines } = await openWithVm();
  const { heard } = await bot.say(administratorId, `/force_destroy ${user} no room`);
  const [yes] = heard.flatMap(({ content }) => content.buttons.flat());
  await bot.press(administratorId, 'data' in yes! ? yes.data : '');
  expect(await lines(user, '/history')).toContain(`box creation cancelled — P${administratorId}`);
});

it('a key that waited for the VM to come up was put in by its owner, not by itself', async () => {
  const { bot, lines } = await openWithVm();
  await bot.say(user, `/ssh_key ${key}`);
  await bringUp(bot);
  const [update] = await openOperations(bot);
  const data = { operationId: update!.operation_id, vmId: update!.vm_id!, at };
  await record(bot, { type: 'RecordAccessUpdated', data });
  expect((await lines(user, '/history'))[0]).toBe('box got the changed SSH keys — you');
});
