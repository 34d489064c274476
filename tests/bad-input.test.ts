import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Berth, startBerth } from './support/berth.ts';

let berth: Berth;

beforeAll(async () => {
  berth = await startBerth({ workers: 0 });
});
afterAll(() => berth?.stop());

const from = { id: 4001, is_bot: false, first_name: 'Ada' };
const chat = { id: 4001, type: 'private', first_name: 'Ada' };

describe('what nobody should write', () => {
  it.each([
    ['/nonsense', 'I do not know /nonsense'],
    ['/creat', 'Did you mean /create?'],
    ['/create Ünïcode', 'lower-case letters'],
    ['/create two words', 'lower-case letters'],
    ['/create -box', 'lower-case letters'],
    [`/create ${'x'.repeat(33)}`, 'lower-case letters'],
    ['/create ../../etc', 'lower-case letters'],
    ['/create 💥', 'lower-case letters'],
    ["/create '; rm -rf /", 'lower-case letters'],
    ['/exec', 'the command to run is missing'],
    ['/plans now', 'takes nothing behind it'],
    ['/stop', 'no VM yet'],
    ['/stop ghost', 'no VM called ghost'],
    ['/destroy', 'no VM yet'],
    ['/exec id', 'no VM yet'],
    ['hello there', 'I understand commands'],
    ['🎉', 'I understand commands'],
    ['/', 'I understand commands'],
    ['/ create', 'I understand commands'],
  ])('%s is answered clearly', async (text, answer) => {
    expect((await berth.admin.ask(text)).text).toContain(answer);
  });

  it('an argument of 5,000 characters is answered with what is wrong', async () => {
    await berth.chat.rawUpdate({
      message: { message_id: 900, date: 0, chat, from, text: `/exec ${'a'.repeat(5_000)}` },
    });
    await berth.chat.waitForMessage(berth.admin.id, ({ text }) => text.includes('too long'));
  });

  it('commands with the name of the bot are taken, those for another bot are a slip', async () => {
    const ours = await berth.admin.ask(`/plans@${berth.chat.bot.username}`);
    expect(ours.text).toContain('Basic');
    expect((await berth.admin.ask('/plans@some_other_bot')).text).toContain('I understand commands');
  });

  it('upper case is understood', async () => {
    expect((await berth.admin.ask('/PLANS')).text).toContain('Basic');
  });

  it('a photo, a sticker, a contact and a file get the hint; an edit is left alone', async () => {
    const hint = ({ text }: { text: string }) => text.includes('I understand commands');
    const hints = () => berth.admin.messages().filter((message) => message.fromBot && hint(message)).length;
    const before = hints();
    await berth.admin.sendPhoto({ caption: '/create box' });
    await berth.admin.sendSticker();
    await berth.admin.sendContact('+49123', 'Bob');
    await berth.admin.sendDocument('a.txt', Buffer.from('x'));
    const written = await berth.admin.send('what?');
    await expect.poll(hints, { timeout: 10_000 }).toBe(before + 5);
    await berth.admin.edit(written, '/create sneaky');
    await berth.admin.ask('/cancel');
    expect(hints()).toBe(before + 5);
  });

  it('in a group it only says that it talks in private, and only to commands', async () => {
    const group = await berth.chat.createGroup({ title: 'Lab', members: [berth.admin.id] });
    const member = berth.chat.group(group.id, berth.admin.id);
    await member.send('just talking');
    const answer = await member.ask(`/create@${berth.chat.bot.username} box`);
    expect(answer.text).toContain('only in private');
    expect(berth.chat.messages(group.id).filter(({ fromBot }) => fromBot)).toHaveLength(1);
  });
});

describe('updates that no client would send', () => {
  const poisonous: Record<string, unknown>[] = [
    {},
    { message: null },
    { message: 'text' },
    { message: { message_id: 'x', from, chat, text: '/create' } },
    { message: { message_id: 1, from: null, chat, text: '/create' } },
    { message: { message_id: 1, from, chat: {}, text: '/create' } },
    { message: { message_id: 1, from: { id: 1.5 }, chat, text: '/create' } },
    { message: { message_id: 1, from, chat, text: { toString: 'no' } } },
    { callback_query: {} },
    { callback_query: { id: 7, from, data: 'create' } },
    { callback_query: { id: 'q1', from, data: 'destroy:only' } },
    { callback_query: { id: 'q2', from, data: 'grant:NaN:1' } },
    { callback_query: { id: 'q3', from, data: `exec-on:${'x'.repeat(50)}` } },
    { callback_query: { id: 'q4', from, data: '__proto__' } },
    { callback_query: { id: 'q5', from, data: 'constructor:1:2' } },
    { my_chat_member: { chat: null } },
    { channel_post: { message_id: 1, chat: { id: -5, type: 'channel' }, text: '/create' } },
    { some_future_update: { deep: [1, 2, 3] } },
  ];

  it('harm neither the bot nor the updates beside them in one batch', async () => {
    const order = (name: string, message_id: number) => ({
      message: { message_id, date: 0, chat, from, text: `/${name}` },
    });
    await berth.chat.rawUpdate([order('first_one', 910), ...poisonous, order('last_one', 911)]);
    await berth.chat.waitForMessage(berth.admin.id, ({ text }) => text.includes('I do not know /first_one'));
    await berth.chat.waitForMessage(berth.admin.id, ({ text }) => text.includes('I do not know /last_one'));
    expect(
      berth
        .bot()
        .lines()
        .filter(({ level }) => level === 'fatal'),
    ).toEqual([]);
  });

  it('the same update three times has one answer', async () => {
    const sent = await berth.admin.ask('/triple');
    const { recent } = await berth.chat.updates();
    const update = recent.findLast((known) => JSON.stringify(known).includes('/triple'));
    await berth.chat.redeliver(update!.update_id);
    await berth.chat.redeliver(update!.update_id);
    await berth.admin.ask('/cancel');
    expect(berth.admin.messages().filter(({ text }) => text === sent.text)).toHaveLength(1);
  });

  it('the buttons of a message that was pressed twice act once', async () => {
    const { id } = await berth.chat.addPerson({ firstName: 'Tom', id: 61_000 });
    const tom = berth.chat.person(id);
    const locked = await tom.ask('/start');
    await Promise.all([tom.press(locked, 0), tom.press(locked, 0)]);
    await berth.chat.waitForMessage(id, ({ text }) => text.includes('Asked'));
    await berth.admin.ask('/cancel');
    expect(berth.admin.messages().filter(({ text }) => text.includes('61000'))).toHaveLength(1);
  });
});
