import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { ChatMessage, PracticeClient } from '../../../tests/support/practice-client.ts';
import { type Fixture, openFixture, testToken } from '../../practice/testing/fixture.ts';
import { bold, fmt, plain } from '../format/rich-text.ts';
import { newDataDir, openTestStore } from '../store/testing/store.ts';
import type { View } from '../view.ts';
import { contentOf, openSending, type Render } from './testing/sending.ts';

/** What goes wrong between the sender, Telegram and the storage, and what a chat reads all the same. */

const ada = 1001;
const ben = 1002;

let fixture: Fixture;
let chat: PracticeClient;

beforeEach(async () => {
  fixture = await openFixture();
  chat = fixture.client;
  for (const id of [ada, ben]) await chat.person(id).send('/start');
});
afterEach(() => fixture.close());

const bot = (options = {}) => ({ token: testToken, apiRoot: fixture.url, ...options });
const fromBot = (chatId: number): ChatMessage[] => chat.messages(chatId).filter((message) => message.fromBot);
const textsIn = (chatId: number): string[] => fromBot(chatId).map(({ text }) => text);
const shows = (chatId: number, text: string) =>
  chat.waitForMessage(chatId, (message) => message.fromBot && message.text === text);
const callsOf = async (method: string) => (await chat.calls()).filter((call) => call.method === method);
const refuse = (method: string, description: string, times = 1) =>
  chat.fault({ kind: 'refuse', method, description: `Bad Request: ${description}`, times });

/** A message with a file: rendered, as files never stand in the table. */
const fileView: View = { kind: 'operation', operationId: 'with-file' };
const renderFile: Render = async (view) => {
  if (view.kind === 'content') return view.content;
  const caption = fmt`${bold('the')} end`;
  return {
    ...contentOf('see the file'),
    document: {
      filename: 'out.txt',
      bytes: Buffer.from('all of it'),
      caption: caption.text,
      captionEntities: caption.entities ?? [],
    },
  };
};

describe('when Telegram stays silent', () => {
  it.each([true, false])(
    '(done: %s) nothing is lost, and what was taken comes twice at most',
    async (done) => {
      const { say } = await openSending(bot({ usualDeadline: 300 }));
      await chat.fault({ kind: 'silence', method: 'sendMessage', times: 1, done });
      for (const text of ['one', 'two']) await say(text, ada, text);
      await shows(ada, 'two');
      expect(textsIn(ada)).toEqual(done ? ['one', 'one', 'two'] : ['one', 'two']);
    },
  );

  it('a refresh that is not answered holds up no answer in its chat', async () => {
    let step = 'first';
    const { say, sender, store } = await openSending(bot(), {
      render: async (view) => {
        if (view.kind === 'operation') return contentOf(step);
        return view.kind === 'content' ? view.content : null;
      },
    });
    await say('op', ada, '', { view: { kind: 'operation', operationId: 'o' } });
    await shows(ada, 'first');
    await chat.fault({ kind: 'silence', method: 'editMessageText', times: 1 });
    step = 'second';
    sender.refresh('op');
    await vi.waitFor(async () => expect(await callsOf('editMessageText')).toHaveLength(1));
    const begun = Date.now();
    await say('answer', ada, 'answer');
    const answer = await shows(ada, 'answer');
    expect(answer.revisions[0]! - begun).toBeLessThan(500);
    expect(await store.db.selectFrom('messages').selectAll().execute()).toHaveLength(2);
  });
});

describe('when Telegram refuses', () => {
  it('the token, messages wait for one that is accepted', async () => {
    const { say, row } = await openSending(bot());
    await chat.fault({
      kind: 'refuse',
      code: 401,
      description: 'Unauthorized',
      method: 'sendMessage',
      times: 2,
    });
    await say('a', ada, 'one');
    await shows(ada, 'one');
    await vi.waitFor(async () => expect((await row('a')).state).toBe('delivered'));
  });

  it('a button, the text goes without', async () => {
    const { say } = await openSending(bot());
    await say('a', ada, plain(fmt`terminal`, [[{ text: 'Open', url: 'http://localhost:8080/' }]]));
    expect((await shows(ada, 'terminal')).buttons).toEqual([]);
  });

  it('the formatting of a caption, the file goes with a plain one and the text is not repeated', async () => {
    const { say } = await openSending(bot(), { render: renderFile });
    await refuse('sendDocument', "can't parse entities: x");
    await say('a', ada, '', { view: fileView });
    const file = await chat.waitForMessage(ada, ({ document }) => document !== undefined);
    expect(file).toMatchObject({ text: 'the end', entities: [], replyTo: { text: 'see the file' } });
    expect(textsIn(ada)).toEqual(['see the file', 'the end']);
  });

  it('a file, its text has arrived all the same and the chat goes on', async () => {
    const { say, row } = await openSending(bot(), { render: renderFile });
    await refuse('sendDocument', 'file must be non-empty');
    await say('a', ada, '', { view: fileView });
    await say('b', ada, 'next');
    await shows(ada, 'next');
    await vi.waitFor(async () => expect((await row('a')).state).toBe('undeliverable'));
    expect(textsIn(ada)).toEqual(['see the file', 'next']);
  });

  it('an edit, the next revision has its own chance', async () => {
    const { say, row } = await openSending(bot());
    await say('a', ada, 'first');
    await shows(ada, 'first');
    await refuse('editMessageText', 'message is too long');
    await say('a', ada, 'too much');
    await vi.waitFor(async () => expect((await row('a')).state).toBe('undeliverable'));
    await say('a', ada, 'the end');
    await shows(ada, 'the end');
    expect(fromBot(ada)).toHaveLength(1);
  });

  it('a revision, the one that was written meanwhile goes out', async () => {
    const { say } = await openSending(bot(), {
      render: async (view) => {
        if (view.kind === 'content') return view.content;
        await say('a', ada, 'the end');
        return contentOf('too much');
      },
    });
    await refuse('sendMessage', 'message is too long');
    await say('a', ada, '', { view: fileView });
    await shows(ada, 'the end');
  });

  it('an edit whose outcome is not known, what the message shows is not guessed', async () => {
    const { say } = await openSending(bot());
    await say('a', ada, 'first');
    await shows(ada, 'first');
    await chat.fault({ kind: 'drop', method: 'editMessageText', times: 1, done: true });
    await say('a', ada, 'second');
    await shows(ada, 'second');
    await say('a', ada, 'first');
    await chat.waitForMessage(ada, ({ text, edits }) => text === 'first' && edits > 0);
  });
});

it('a message that cannot be made lets the rest of its chat pass, and comes when it can be made', async () => {
  let broken = true;
  const { say } = await openSending(bot(), {
    render: async (view) => {
      if (view.kind === 'content') return view.content;
      if (broken) throw new Error('not now');
      return contentOf('made');
    },
  });
  await say('a', ada, '', { view: { kind: 'status', vmId: 'v' } });
  await say('b', ada, 'next');
  await shows(ada, 'next');
  broken = false;
  await shows(ada, 'made');
});

it('what the storage could not note as delivered is not said again', async () => {
  const { say, store, row } = await openSending(bot(), { render: renderFile });
  await sql`create trigger full before update of delivered_revision on messages
    begin select raise(abort, 'database or disk is full'); end`.execute(store.db);
  await say('a', ada, '', { view: fileView });
  await chat.waitForMessage(ada, ({ document }) => document !== undefined);
  await say('b', ben, 'ben, once');
  await shows(ben, 'ben, once');
  await sql`drop trigger full`.execute(store.db);
  for (const key of ['a', 'b']) {
    await vi.waitFor(async () => expect((await row(key)).state).toBe('delivered'), { timeout: 5_000 });
  }
  expect(textsIn(ada)).toEqual(['see the file', 'the end']);
  expect(textsIn(ben)).toEqual(['ben, once']);
});

it('Telegram away for a while delays everything and loses nothing, in order', async () => {
  const { say } = await openSending(bot());
  await chat.fault({ kind: 'drop' });
  for (const text of ['one', 'two', 'three']) await say(text, ada, text);
  await vi.waitFor(async () => expect((await callsOf('sendMessage')).length).toBeGreaterThan(2), 15_000);
  await chat.clearFaults();
  await shows(ada, 'three');
  expect(textsIn(ada)).toEqual(['one', 'two', 'three']);
});

it('a kill -9 while a message is on its way loses none, and repeats that one at most', async () => {
  const dataDir = newDataDir();
  const store = await openTestStore({ dataDir });
  const { say, sender } = await openSending(bot(), { store });
  await sender.close();
  for (const text of ['one', 'two', 'three', 'four']) await say(text, ada, text);
  await store.close();

  const script = join(import.meta.dirname, 'testing/sender-process.ts');
  const start = () => {
    const child = spawn(process.execPath, [script, dataDir, testToken, fixture.url], { stdio: 'inherit' });
    onTestFinished(() => {
      child.kill('SIGKILL');
    });
    return child;
  };
  const first = start();
  await shows(ada, 'one');
  // The second is taken, and its sender never learns of it.
  await chat.fault({ kind: 'silence', method: 'sendMessage', done: true, times: 1 });
  await chat.waitForMessage(ada, ({ id }) => id > fromBot(ada)[0]!.id);
  first.kill('SIGKILL');
  await once(first, 'exit');
  await chat.clearFaults();
  start();
  await shows(ada, 'four');
  const texts = textsIn(ada);
  expect([...new Set(texts)]).toEqual(['one', 'two', 'three', 'four']);
  expect(texts.length).toBeLessThanOrEqual(5);
});
