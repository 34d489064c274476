import { passwordName } from '../sealed-names.ts';
import { administratorId, type BareBot, dataOf, type Heard } from './bare-bot.ts';
import { bringUp, findStrays, letExit } from './worker-words.ts';

/** People of all kinds and their VMs, and every button shown to somebody. */

export const ids = {
  administrator: administratorId,
  user: 2001,
  other: 2002,
  removed: 2003,
  asking: 2004,
  stranger: 2005,
};
/** Somebody with more VMs than one page shows. */
const crowd = 2006;

export const publicKey =
  'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDbv7KfYtUGKxTDLOLwZ7m9/7cbVpvzvVh7n1HptY0mz umas-laptop';

export type Population = {
  /** Callback data of all buttons, whoever they were shown to. */
  shown: string[];
  /** What belongs to the user; `secrets`: what nobody else may read anywhere. */
  umas: { vmIds: string[]; operationIds: string[]; secrets: string[] };
};

export const populate = async (bot: BareBot): Promise<Population> => {
  const { administrator, user, other, removed, asking } = ids;
  const heard: Heard[] = [];
  const say = async (id: number, text: string) => heard.push(...(await bot.say(id, text)).heard);
  await say(asking, '/start');
  heard.push(...(await bot.press(asking, 'ask-access')).heard);
  await say(administrator, '/config_plan 1 max_vms 3');
  await say(administrator, '/config_plan 2 max_vms 99');
  for (const id of [user, other, removed]) await say(administrator, `/allow_user ${id} 1`);
  await say(administrator, `/allow_user ${crowd} 2`);
  for (let count = 0; count < 20; count += 1) await say(crowd, '/create');
  for (let count = 0; count < 45; count += 1) await say(administrator, `/allow_user ${7_000 + count}`);
  await say(user, '/create umabox');
  await say(user, '/create umabox-b');
  await say(user, '/create umabox-c');
  await say(other, '/create ottobox');
  await say(removed, '/create remobox');
  await bringUp(bot);
  await letExit(bot, 'umabox-c');
  await say(user, `/ssh_key ${publicKey}`);
  // Everything that shows buttons.
  for (const text of [
    '/exec umabox: sleep 9',
    '/exec id',
    '/destroy umabox',
    '/stop',
    '/ssh_key',
    '/status',
    '/status umabox',
  ]) {
    await say(user, text);
  }
  for (let count = 0; count < 20; count += 1) await say(user, '/password umabox-c');
  await say(user, '/password');
  await say(user, '/history');
  await say(administrator, `/force_destroy ${user}`);
  await findStrays(bot);
  await say(administrator, '/admin_info');
  heard.push(...(await bot.press(administrator, 'stray:all')).heard);
  await say(administrator, '/list_allowed');
  await say(administrator, '/audit');
  await say(administrator, `/remove_user ${removed}`);
  heard.push(...(await bot.everythingShown()));
  const shown = [...new Set(heard.flatMap(dataOf))];
  const db = bot.store.db;
  const vms = await db.selectFrom('vms').selectAll().where('owner', '=', user).execute();
  const operations = await db.selectFrom('operations').selectAll().where('owner', '=', user).execute();
  const passwords = await Promise.all(vms.map(({ vm_id }) => bot.vault.unseal(db, vm_id, passwordName)));
  const umas = {
    vmIds: vms.map(({ vm_id }) => vm_id),
    operationIds: operations.map(({ operation_id }) => operation_id),
    secrets: [
      ...['umabox', 'umas-laptop'],
      ...vms.flatMap(({ vm_id, ssh_port }) => [vm_id, `-p ${ssh_port} `]),
      ...passwords.filter((password) => password !== null),
    ],
  };
  return { shown, umas };
};
