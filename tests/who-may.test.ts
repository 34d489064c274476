import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Berth, startBerth } from './support/berth.ts';
import type { Participant } from './support/practice-client.ts';

let berth: Berth;
let stranger: Participant;

beforeAll(async () => {
  berth = await startBerth();
  // Telegram lets a bot write only to somebody who wrote first, administrators included.
  await berth.admin.ask('/start');
  const { id } = await berth.chat.addPerson({ firstName: 'Sam', id: 60_001, username: 'sam_s' });
  stranger = berth.chat.person(id);
});
afterAll(() => berth?.stop());

describe('somebody who is not on the list', () => {
  it.each(['/start', '/create', '/exec id', '/status', '/allow_user 60001', '/nonsense', 'hello'])(
    'learns by %s nothing but their own id and how to ask',
    async (text) => {
      const answer = await stranger.ask(text);
      expect(answer.text).toContain('60001');
      expect(answer.buttons.flat().map(({ text }) => text)).toEqual(['🙋 Ask for access']);
    },
  );

  it('reaches nothing with made-up button data either', async () => {
    for (const data of [
      'create',
      'grant:60001:4',
      'stop:aaaaaaaaaa:1',
      'destroy-now:x:1:zzzzzzzz',
      '',
      ':::',
      '💥',
    ]) {
      await berth.chat.rawUpdate({
        callback_query: {
          id: `forged-${data}`,
          from: { id: 60_001, is_bot: false, first_name: 'Sam' },
          message: { message_id: 1, date: 0, chat: { id: 60_001, type: 'private' } },
          chat_instance: '1',
          data,
        },
      });
    }
    const after = await stranger.ask('/start');
    expect(after.text).toContain('not on it');
  });

  it('asks, is let in by an administrator with a plan, and can create', async () => {
    const locked = await stranger.ask('/start');
    await stranger.pressAndWait(locked, '🙋 Ask for access');
    const request = await berth.chat.waitForMessage(berth.admin.id, ({ text }) =>
      text.includes('asks for access'),
    );
    expect(request.text).toContain('@sam_s');
    expect(request.buttons.flat().map(({ text }) => text)).toEqual([
      '✅ Basic',
      '✅ Standard',
      '✅ Pro',
      '✅ Enterprise',
      '⛔️ Refuse',
    ]);
    const again = await stranger.ask('/start');
    expect(again.text).toContain('with the administrators');

    await berth.admin.pressAndWait(request, '✅ Standard');
    const welcome = await berth.chat.waitForMessage(stranger.id, ({ text }) =>
      text.includes('You may use Berth now'),
    );
    expect(welcome.text).toContain('Standard');
    const plans = await stranger.ask('/plans');
    expect(plans.text).toContain('Standard — 4 GB RAM, 2 CPUs, 150 GB disk, one VM (yours)');
    await stranger.pressAndWait(welcome, '➕ Create a VM');
    await berth.chat.waitForMessage(stranger.id, ({ text }) => text.includes('is running'), {
      timeoutMs: 60_000,
    });
  });

  it('is refused, hears of it, and may ask again', async () => {
    const { id } = await berth.chat.addPerson({ firstName: 'Rae', id: 60_002 });
    const rae = berth.chat.person(id);
    await rae.press(await rae.ask('/start'), '🙋 Ask for access');
    const request = await berth.chat.waitForMessage(berth.admin.id, ({ text }) => text.includes('60002'));
    await berth.admin.pressAndWait(request, '⛔️ Refuse');
    await berth.chat.waitForMessage(id, ({ text }) => text.includes('was refused'));
    expect((await rae.ask('/start')).buttons.flat()).toHaveLength(1);
  });
});

describe('a user', () => {
  it('sees only the commands they may use, in help and in the menu', async () => {
    const help = await stranger.ask('/help');
    expect(help.text).toContain('/create');
    expect(help.text).not.toContain('/allow_user');
    const names = (await stranger.commands()).map(({ command }) => command);
    expect(names).toContain('create');
    expect(names).not.toContain('allow_user');
    expect((await berth.admin.commands()).map(({ command }) => command)).toContain('allow_user');
  });

  it('may not use the commands of administrators', async () => {
    expect((await stranger.ask('/allow_user 1 1')).text).toContain('is for administrators');
    expect((await stranger.ask('/list_allowed')).text).toContain('is for administrators');
  });

  it("cannot press another person's buttons", async () => {
    const card = await stranger.ask('/status');
    const other = await berth.newUser('Olga');
    for (const button of card.buttons.flat()) {
      await berth.chat.rawUpdate({
        callback_query: {
          id: `foreign-${button.text}`,
          from: { id: other.id, is_bot: false, first_name: 'Olga' },
          message: { message_id: 1, date: 0, chat: { id: other.id, type: 'private' } },
          chat_instance: '1',
          data: (button as { callback_data?: string }).callback_data,
        },
      });
    }
    await other.ask('/help');
    expect(other.messages().some(({ text }) => /is running|ssh -p|Destroy/.test(text))).toBe(false);
    expect((await stranger.ask('/status')).text).toContain('running');
  });
});

describe('an administrator', () => {
  it('lets people in with both orders of the arguments and lists them', async () => {
    expect((await berth.admin.ask('/allow_user 60010 2 @zoe_z')).text).toContain(
      '@zoe_z (60010) may use Berth',
    );
    expect((await berth.admin.ask('/allow_user 60011 yan_y')).text).toContain('@yan_y (60011)');
    expect((await berth.admin.ask('/allow_user 60012')).text).toContain('no plan');
    const list = await berth.admin.ask('/list_allowed');
    expect(list.text).toContain('60010');
    expect(list.text).toContain('yan_y');
  });

  it.each([
    ['/allow_user', 'Telegram user id'],
    ['/allow_user abc', 'Telegram user id'],
    ['/allow_user 5 1 name extra', 'too many words'],
    ['/allow_user 5 9 name', 'there is no plan 9'],
    ['/allow_user 5 !!', 'neither a plan'],
  ])('gets the usage with what was wrong for %s', async (text, problem) => {
    const answer = await berth.admin.ask(text);
    expect(answer.text).toContain(problem);
    expect(answer.text).toContain('Example: /allow_user');
  });
});
