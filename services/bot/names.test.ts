import { expect, it, onTestFinished } from 'vitest';
import { findUserIds } from './names.ts';
import { newDataDir } from './store/testing/store.ts';
import { administratorId, openBareBot } from './testing/bare-bot.ts';

/** Who is meant by a name: whoever is acted on by it must be the only one. */

const open = async () => {
  const bot = await openBareBot(newDataDir());
  onTestFinished(() => bot.store.close());
  await bot.say(administratorId, '/allow_user 2001 Pro newname');
  return bot;
};

it('somebody is found by id and by user name, with and without @, in any case', async () => {
  const { store } = await open();
  for (const text of ['2001', 'newname', '@newname', 'NewName']) {
    expect(await findUserIds(store.db, text)).toEqual([2001]);
  }
  expect(await findUserIds(store.db, 'nobody')).toEqual([]);
});

it('a number that would be read as another one is nobody', async () => {
  const { store } = await open();
  for (const text of ['9999999999999999', '9007199254740993', '0', '00', '12345678901234567890']) {
    expect(await findUserIds(store.db, text)).toEqual([]);
  }
});

it('a name that several have or had is refused with their ids, and nobody is acted on', async () => {
  const bot = await open();
  await bot.store.db
    .insertInto('people')
    .values({ user_id: 666, first_name: 'Imp', username: 'newname', menu: null, seen_at: '2026-01-01' })
    .execute();
  for (const command of [
    '/force_stop newname',
    '/remove_user @newname',
    '/audit newname',
    '/force_destroy newname',
  ]) {
    const { texts, events } = await bot.say(administratorId, command);
    expect(events, command).toEqual([]);
    expect(texts.join(), command).toContain('666, 2001');
  }
});
