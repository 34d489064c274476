import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { administrator, type Fixture, openFixture, refusalOf } from './testing/fixture.ts';

let fixture: Fixture;
const ada = () => fixture.client.person(administrator);
type Polled = { update_id: number; message?: { text?: string } };
const poll = async (offset = 0, timeout = 0, limit = 100): Promise<Polled[]> => {
  const updates: object[] = await fixture.telegram.callApi('getUpdates', { offset, timeout, limit });
  return updates as Polled[];
};
const texts = (updates: Polled[]) => updates.map(({ message }) => message?.text);

beforeEach(async () => {
  fixture = await openFixture();
});
afterEach(() => fixture.close());

describe('getUpdates', () => {
  it('gives what is there until an offset confirms it', async () => {
    await ada().send('/start');
    await ada().send('second');
    const first = await poll();
    expect(texts(first)).toEqual(['/start', 'second']);
    expect(first[0]).toMatchObject({
      message: {
        from: { id: administrator, is_bot: false, first_name: 'Ada', username: 'ada_admin' },
        chat: { id: administrator, type: 'private' },
        entities: [{ type: 'bot_command', offset: 0, length: 6 }],
      },
    });
    expect(texts(await poll(0, 0, 1))).toEqual(['/start']);
    expect(texts(await poll(first[1]!.update_id))).toEqual(['second']);
    expect(await poll(first[1]!.update_id + 1)).toEqual([]);
    expect(await poll()).toEqual([]);
  });

  it('waits for an update, and ends empty when its time is over', async () => {
    const waiting = poll(0, 30);
    await ada().send('now');
    expect(texts(await waiting)).toEqual(['now']);
    const [last] = await poll();
    expect(await poll(last!.update_id + 1, 1)).toEqual([]);
  });

  it('forgets all but the last ones for a negative offset', async () => {
    for (const text of ['a', 'b', 'c']) await ada().send(text);
    expect(texts(await poll(-1))).toEqual(['c']);
    expect(texts(await poll())).toEqual(['c']);
  });

  it('ends the first of two pollers with a conflict', async () => {
    const first = refusalOf(poll(0, 30));
    await fixture.client.waitForEvent((event) => event.type === 'bot' && event.polling);
    const second = poll(0, 30);
    expect(await first).toBe(
      '409 Conflict: terminated by other getUpdates request; make sure that only one bot instance is running',
    );
    await ada().send('for the second');
    expect(texts(await second)).toEqual(['for the second']);
  });

  it('delivers only the types that were asked for', async () => {
    await fixture.telegram.callApi('getUpdates', { allowed_updates: ['message'] });
    const message = await ada().send('first');
    await ada().edit(message, 'changed');
    await ada().block();
    expect((await poll()).map((update) => Object.keys(update)[1])).toEqual(['message']);
  });

  it('tells of edits, blocks and presses', async () => {
    const message = await ada().send('first');
    await ada().edit(message, '/changed');
    const sent = await fixture.telegram.sendMessage(administrator, 'choose', {
      reply_markup: { inline_keyboard: [[{ text: 'Yes', callback_data: 'yes' }]] },
    });
    const choice = await ada().waitForMessage(({ id }) => id === sent.message_id);
    const queryId = await ada().press(choice, 'Yes');
    await ada().block();
    expect((await poll()).slice(1)).toMatchObject([
      { edited_message: { message_id: message.id, text: '/changed', entities: [{ type: 'bot_command' }] } },
      { callback_query: { id: queryId, data: 'yes', message: { message_id: sent.message_id } } },
      { my_chat_member: { new_chat_member: { status: 'kicked' } } },
    ]);
  });

  it('hears in a group only what is meant for it', async () => {
    const chat = await fixture.client.createGroup({ title: 'Crew', members: [1001, 1002] });
    const ben = fixture.client.group(chat.id, 1002);
    const last = (await poll()).at(-1)!.update_id;
    for (const text of [
      'lunch?',
      '/status',
      '/status@berth_practice_bot',
      '/go@other_bot',
      'hi @berth_practice_bot',
    ]) {
      await ben.send(text);
    }
    expect(texts(await poll(last + 1))).toEqual([
      '/status',
      '/status@berth_practice_bot',
      'hi @berth_practice_bot',
    ]);
  });
});

describe('callback queries', () => {
  it('take one answer, which reaches the person', async () => {
    await ada().send('/start');
    const { message_id } = await fixture.telegram.sendMessage(administrator, 'choose', {
      reply_markup: { inline_keyboard: [[{ text: 'Yes', callback_data: 'yes' }]] },
    });
    const message = await ada().waitForMessage(({ id }) => id === message_id);
    const queryId = await ada().press(message, 'Yes');
    const tooOld = '400 Bad Request: query is too old and response timeout expired or query ID is invalid';
    await fixture.telegram.answerCbQuery(queryId, 'Done', { show_alert: true });
    expect(await refusalOf(fixture.telegram.answerCbQuery(queryId))).toBe(tooOld);
    expect(await refusalOf(fixture.telegram.answerCbQuery('1'))).toBe(tooOld);
    await expect
      .poll(() => fixture.client.callbackAnswers())
      .toMatchObject([{ queryId, text: 'Done', showAlert: true, personId: administrator }]);
    await expect(ada().press(message, 'No')).rejects.toThrow('the message has "Yes"');
  });
});

describe('what tests ask for', () => {
  it('delivers an update again under its old id, once', async () => {
    await ada().send('/create');
    const [update] = await poll();
    const next = update!.update_id + 1;
    expect(await poll(next)).toEqual([]);
    await fixture.client.redeliver(update!.update_id);
    expect(await poll(next)).toEqual([update]);
    expect(await poll(next)).toEqual([]);
  });

  it('delivers made-up updates together', async () => {
    const waiting = poll(0, 30);
    await fixture.client.waitForEvent((event) => event.type === 'bot' && event.polling);
    const ids = await fixture.client.rawUpdate([
      { message: { nonsense: true } },
      { update_id: 7, poll: null },
    ]);
    expect(ids).toEqual([expect.any(Number), 7]);
    expect((await waiting).map(({ update_id }) => update_id).sort((a, b) => a - b)).toEqual([7, ids[0]]);
  });

  it('cuts a text of 5,000 characters in two, as a client does', async () => {
    await ada().send(`/exec ${'x'.repeat(5000)}`);
    const lengths = texts(await poll()).map((text) => text?.length);
    expect(lengths).toEqual([4096, 910]);
  });

  it('sends everything a person can send', async () => {
    await ada().sendPhoto({ caption: 'photo' });
    await ada().sendDocument('notes.txt', Buffer.from('x'));
    await ada().sendSticker();
    await ada().sendContact('+49', 'Ben');
    await ada().sendLocation(52.5, 13.4);
    expect(await poll()).toMatchObject([
      { message: { photo: [{ width: 8 }], caption: 'photo' } },
      { message: { document: { file_name: 'notes.txt' } } },
      { message: { sticker: { emoji: '👋' } } },
      { message: { contact: { phone_number: '+49' } } },
      { message: { location: { latitude: 52.5 } } },
    ]);
  });

  it('says what the chat reads when a wait ends in vain', async () => {
    await ada().send('anybody?');
    await expect(ada().waitForMessage(({ fromBot }) => fromBot, { timeoutMs: 50 })).rejects.toThrow(
      /no such message in chat 1001; it reads\n.*Ada: anybody\?/,
    );
  });
});

describe('a restart', () => {
  let folder: string;
  let stateFile: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'practice-'));
    stateFile = join(folder, 'practice.json');
  });
  afterEach(async () => {
    await fixture.close();
    await rm(folder, { recursive: true });
  });

  it('keeps chats, files, menus and unconfirmed updates, and never gives an id twice', async () => {
    await fixture.close();
    fixture = await openFixture(stateFile);
    await ada().send('/create');
    const { document } = await fixture.telegram.sendDocument(administrator, {
      source: Buffer.from('kept'),
      filename: 'kept.txt',
    });
    await fixture.telegram.setMyCommands([{ command: 'create', description: 'Create' }]);
    const [before] = await poll();
    await fixture.close();

    fixture = await openFixture(stateFile);
    expect(
      ada()
        .messages()
        .map(({ text }) => text),
    ).toEqual(['/create', '']);
    expect(await poll()).toEqual([before]);
    expect(await ada().commands()).toHaveLength(1);
    expect(await fixture.telegram.sendDocument(administrator, document.file_id)).toBeDefined();
    const download = await fixture.client.download(ada().messages()[1]!);
    expect(Buffer.from(download).toString()).toBe('kept');
    await ada().send('again');
    const [, after] = await poll();
    expect(after!.update_id).toBeGreaterThan(before!.update_id);
  });

  it('after a kill skips ids that may have been given', async () => {
    await fixture.close();
    fixture = await openFixture(stateFile);
    await ada().send('one');
    // What a killed process leaves: the file as it was when the first id had just been given.
    const left = await readFile(stateFile, 'utf8');
    for (const text of ['two', 'three', 'four']) await ada().send(text);
    const given = (await poll()).map(({ update_id }) => update_id);
    await fixture.close();
    await writeFile(stateFile, left);

    fixture = await openFixture(stateFile);
    await ada().send('five');
    const fresh = (await poll()).at(-1)!.update_id;
    expect(fresh).toBeGreaterThan(Math.max(...given));
  });

  it('without a file begins above everything an earlier run gave', async () => {
    const now = Math.floor(Date.now() / 1000);
    await ada().send('one');
    expect((await poll())[0]!.update_id).toBeGreaterThan(now - 5);
  });

  it('sets a file aside that nobody can read', async () => {
    await fixture.close();
    await writeFile(stateFile, '{"version":1,"people":');
    fixture = await openFixture(stateFile);
    expect(fixture.client.people()).toHaveLength(4);
  });
});
