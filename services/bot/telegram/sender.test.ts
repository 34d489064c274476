import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createLog } from '../../../shared/log.ts';
import type { ChatMessage, PracticeClient } from '../../../tests/support/practice-client.ts';
import { type Fixture, openFixture, testToken } from '../../practice/testing/fixture.ts';
import { bold, type Content, fmt, plain } from '../format/rich-text.ts';
import type { MessageRow } from '../store/schema.ts';
import type { Store } from '../store/store.ts';
import { openTestStore } from '../store/testing/store.ts';
import type { View } from '../view.ts';
import { type Api, createApi } from './client.ts';
import { post } from './messages.ts';
import { createSender, type Sender } from './sender.ts';

const log = createLog('test', 'silent');
const ada = 1001;
const ben = 1002;

let fixture: Fixture;
let chat: PracticeClient;
let store: Store;
let api: Api;
let sender: Sender;
/** What views of operations show: something that changes without being stored. */
let live: Map<string, Content>;

const render = async (view: View): Promise<Content | null> => {
  if (view.kind === 'content') return view.content;
  return view.kind === 'operation' ? (live.get(view.operationId) ?? null) : null;
};

beforeEach(async () => {
  fixture = await openFixture();
  chat = fixture.client;
  for (const id of [ada, ben]) await chat.person(id).send('/start');
  store = await openTestStore();
  api = createApi({ token: testToken, apiRoot: fixture.url });
  live = new Map();
  sender = createSender({ db: store.db, api, render, log });
});
afterEach(async () => {
  await sender.close();
  api.close();
  await fixture.close();
});

const say = (text: string): View => ({ kind: 'content', content: plain(fmt`${text}`) });

const send = async (key: string, chatId: number, view: View, bump = false): Promise<void> => {
  await store.transaction((trx) => post(trx, { key, chatId, view, bump }));
  sender.wake();
};

const fromBot = (chatId: number): ChatMessage[] => chat.messages(chatId).filter((message) => message.fromBot);
const textsIn = (chatId: number): string[] => fromBot(chatId).map(({ text }) => text);
const shows = (chatId: number, text: string, timeoutMs = 10_000) =>
  chat.waitForMessage(chatId, (message) => message.fromBot && message.text === text, { timeoutMs });
const row = (key: string): Promise<MessageRow> =>
  store.db.selectFrom('messages').selectAll().where('key', '=', key).executeTakeFirstOrThrow();
const callsOf = async (method: string, chatId: number) =>
  (await chat.calls()).filter((call) => call.method === method && call.chatId === chatId);

describe('messages', () => {
  it('leave at once, and are delivered for good', async () => {
    const begun = Date.now();
    await send('a', ada, say('one'));
    const message = await shows(ada, 'one');
    expect(message.revisions[0]! - begun).toBeLessThan(100);
    await vi.waitFor(async () =>
      expect(await row('a')).toMatchObject({
        state: 'delivered',
        delivered_revision: 1,
        message_id: message.id,
      }),
    );
  });

  it('of one chat keep their order and the pace that Telegram allows', async () => {
    for (let number = 1; number <= 6; number += 1) await send(`n${number}`, ada, say(`message ${number}`));
    await shows(ada, 'message 6', 15_000);
    expect(textsIn(ada)).toEqual([1, 2, 3, 4, 5, 6].map((number) => `message ${number}`));
    const times = fromBot(ada).map(({ revisions }) => revisions[0]!);
    expect(times[2]! - times[0]!).toBeLessThan(500); // a short burst may go
    expect(times[5]! - times[3]!).toBeGreaterThan(1_800); // then one a second
  });

  it('carry their formatting and buttons', async () => {
    const content = plain(fmt`${bold('strong')} <b>&amp; _plain_`, [[{ text: 'Go', data: 'go:1' }]]);
    await send('a', ada, { kind: 'content', content });
    const message = await shows(ada, 'strong <b>&amp; _plain_');
    expect(message.entities).toEqual([{ type: 'bold', offset: 0, length: 6 }]);
    expect(message.buttons).toEqual([[{ text: 'Go', callback_data: 'go:1' }]]);
  });

  it('that changed are edited, only to their newest state', async () => {
    await send('a', ada, say('first'));
    const { id } = await shows(ada, 'first');
    await store.transaction((trx) => post(trx, { key: 'a', chatId: ada, view: say('second') }));
    await send('a', ada, say('third'));
    expect((await shows(ada, 'third')).id).toBe(id);
    expect((await callsOf('editMessageText', ada)).length).toBe(1);
    expect(fromBot(ada)).toHaveLength(1);
  });

  it('that were deleted meanwhile are said anew', async () => {
    await send('a', ada, say('first'));
    await shows(ada, 'first');
    await chat.person(ada).deleteHistory();
    await send('a', ada, say('second'));
    await shows(ada, 'second');
  });

  it('that say what is there already count as delivered', async () => {
    await send('a', ada, say('same'));
    await shows(ada, 'same');
    await sender.close();
    sender = createSender({ db: store.db, api, render, log }); // it does not remember what was shown
    await send('a', ada, say('same'), true);
    await vi.waitFor(async () => expect((await row('a')).delivered_revision).toBe(2));
    expect(fromBot(ada)).toHaveLength(1);
  });

  it('left over by a process that died are delivered by the next one', async () => {
    await sender.close();
    await send('a', ada, say('late'));
    sender = createSender({ db: store.db, api, render, log });
    await shows(ada, 'late');
  });

  it('with a file are followed by it, once, also when the file fails at first', async () => {
    await chat.fault({ kind: 'server-error', method: 'sendDocument', times: 1 });
    const document = {
      filename: 'out.txt',
      bytes: Buffer.from('x'.repeat(5_000)),
      caption: 'the end',
      captionEntities: [],
    };
    live.set('o', { ...plain(fmt`see file`), document });
    await send('a', ada, { kind: 'operation', operationId: 'o' });
    const file = await chat.waitForMessage(ada, (message) => message.document !== undefined);
    expect(file.text).toBe('the end');
    expect(Buffer.from(await chat.download(file)).toString()).toBe('x'.repeat(5_000));
    await vi.waitFor(async () => expect((await row('a')).state).toBe('delivered'));
    expect(fromBot(ada)).toHaveLength(2);
  });
});

describe('refreshes', () => {
  it('come together to about one edit a second, the newest in the end', async () => {
    live.set('o', plain(fmt`0`));
    await send('a', ada, { kind: 'operation', operationId: 'o' });
    await shows(ada, '0');
    for (let number = 1; number <= 40; number += 1) {
      live.set('o', plain(fmt`${number}`));
      sender.refresh('a');
    }
    await shows(ada, '40');
    expect((await callsOf('editMessageText', ada)).length).toBeLessThanOrEqual(2);
  });

  it('that show nothing new cost no call', async () => {
    live.set('o', plain(fmt`same`));
    await send('a', ada, { kind: 'operation', operationId: 'o' });
    await shows(ada, 'same');
    for (let number = 1; number <= 5; number += 1) sender.refresh('a');
    await send('b', ada, say('after'));
    await shows(ada, 'after');
    expect(await callsOf('editMessageText', ada)).toEqual([]);
  });
});

describe('when Telegram is out', () => {
  it('a chat that got too much is left alone for as long as told, and the others go on', async () => {
    await chat.fault({ kind: 'too-many-requests', retryAfter: 2, chatId: ada, times: 1 });
    const begun = Date.now();
    await send('a', ada, say('for ada'));
    await send('b', ben, say('for ben'));
    const bens = await shows(ben, 'for ben');
    const adas = await shows(ada, 'for ada');
    expect(bens.revisions[0]! - begun).toBeLessThan(1_000);
    expect(adas.revisions[0]! - begun).toBeGreaterThan(1_900);
  });

  it.each([
    { kind: 'server-error' as const, done: false },
    { kind: 'drop' as const, done: false },
    { kind: 'drop' as const, done: true },
    { kind: 'server-error' as const, done: true },
  ])('with %o nothing is lost, nothing overtakes, and at most one comes twice', async (fault) => {
    await chat.fault({ ...fault, method: 'sendMessage', times: 1 });
    await send('a', ada, say('one'));
    await send('b', ada, say('two'));
    await shows(ada, 'two');
    expect(textsIn(ada)).toEqual(fault.done ? ['one', 'one', 'two'] : ['one', 'two']);
  });

  it('formatting that is refused falls back to the plain text', async () => {
    await chat.fault({
      kind: 'refuse',
      description: "Bad Request: can't parse entities: x",
      method: 'sendMessage',
      times: 1,
    });
    await send('a', ada, { kind: 'content', content: plain(fmt`${bold('hello')}`) });
    expect((await shows(ada, 'hello')).entities).toEqual([]);
  });

  it('a person who blocked the bot is left alone until they are back; then they read everything', async () => {
    await chat.person(ada).block();
    await send('a', ada, say('one'));
    await send('b', ada, say('two'));
    await send('c', ben, say('for ben'));
    await shows(ben, 'for ben');
    await vi.waitFor(async () => expect((await callsOf('sendMessage', ada)).length).toBe(1));
    await chat.person(ada).unblock();
    sender.unmute(ada);
    await shows(ada, 'two');
    expect(textsIn(ada)).toEqual(['one', 'two']);
  });

  it('what will never be accepted steps aside', async () => {
    await chat.fault({
      kind: 'refuse',
      description: 'Bad Request: message is too long',
      method: 'sendMessage',
      times: 1,
    });
    await send('a', ada, say('one'));
    await send('b', ada, say('two'));
    await shows(ada, 'two');
    expect((await row('a')).state).toBe('undeliverable');
  });

  it('somebody who has not written to the bot yet reads it all once they do', async () => {
    const cleo = await chat.addPerson({ firstName: 'Cleo' });
    await send('a', cleo.id, say('one'));
    await send('b', ben, say('for ben'));
    await shows(ben, 'for ben');
    await vi.waitFor(async () => expect((await callsOf('sendMessage', cleo.id)).length).toBe(1));
    await chat.person(cleo.id).send('/start');
    sender.unmute(cleo.id);
    await shows(cleo.id, 'one');
  });

  it('a message that cannot be made waits, without a storm, and holds up nobody else', async () => {
    let tries = 0;
    await sender.close();
    sender = createSender({
      db: store.db,
      api,
      log,
      render: async (view) => {
        if (view.kind === 'operation') {
          tries += 1;
          throw new Error('not now');
        }
        return render(view);
      },
    });
    await send('a', ada, { kind: 'operation', operationId: 'o' });
    await send('b', ben, say('for ben'));
    await shows(ben, 'for ben');
    await vi.waitFor(async () => expect((await row('a')).attempts).toBeGreaterThanOrEqual(2), {
      timeout: 5_000,
    });
    expect(tries).toBeLessThan(5);
  });
});
