import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { PracticeClient } from '../../../tests/support/practice-client.ts';
import { type Fixture, openFixture, testToken } from '../../practice/testing/fixture.ts';
import type { View } from '../view.ts';
import { post } from './messages.ts';
import { contentOf, openSending, type Sending } from './testing/sending.ts';

/** Many messages at once: who goes first, and how fast. Times are those at which calls arrive at the server. */

const ada = 1001;

let fixture: Fixture;
let chat: PracticeClient;
let sending: Sending;
/** What the messages about operations show now. */
let step: string;

beforeEach(async () => {
  fixture = await openFixture();
  chat = fixture.client;
  await chat.person(ada).send('/start');
  step = 'begun';
  sending = await openSending(
    { token: testToken, apiRoot: fixture.url },
    {
      render: async (view) => {
        if (view.kind === 'operation') return contentOf(`${view.operationId}: ${step}`);
        return view.kind === 'content' ? view.content : null;
      },
    },
  );
});
afterEach(() => fixture.close());

const operation = (operationId: string): View => ({ kind: 'operation', operationId });
const shows = (chatId: number, text: string) =>
  chat.waitForMessage(chatId, (message) => message.fromBot && message.text === text, { timeoutMs: 20_000 });
const callsOf = async (...methods: string[]) =>
  (await chat.calls()).filter(({ method }) => methods.includes(method));
const median = (values: number[]): number => values.sort((a, b) => a - b)[Math.floor(values.length / 2)]!;

const newPeople = async (count: number): Promise<number[]> => {
  const ids: number[] = [];
  for (let number = 0; number < count; number += 1) {
    const { id } = await chat.addPerson({ firstName: `Person ${number}` });
    await chat.person(id).send('/start');
    ids.push(id);
  }
  return ids;
};

describe('an answer', () => {
  it('arrives within moments of its commit', async () => {
    const times: number[] = [];
    for (const id of await newPeople(15)) {
      const begun = performance.timeOrigin + performance.now();
      await sending.say(`answer:${id}`, id, 'answer');
      const { revisions } = await shows(id, 'answer');
      times.push(revisions[0]! - begun);
    }
    expect(median(times)).toBeLessThan(100);
  });

  it('does not wait for the progress of others in its chat', async () => {
    for (const key of ['a', 'b', 'c', 'd']) await sending.say(key, ada, '', { view: operation(key) });
    await shows(ada, 'd: begun');
    const edits = async () => (await callsOf('editMessageText')).length;
    // Progress without end, until it has used all it may.
    const timer = setInterval(() => {
      step = `${performance.now()}`;
      for (const key of ['a', 'b', 'c', 'd']) sending.sender.refresh(key);
    }, 20);
    await vi.waitFor(async () => expect(await edits()).toBeGreaterThan(2), { timeout: 15_000 });
    const begun = Date.now();
    await sending.say('answer', ada, 'answer');
    const { revisions } = await shows(ada, 'answer');
    clearInterval(timer);
    expect(revisions[0]! - begun).toBeLessThan(300);
  });
});

describe('many chats', () => {
  it('are served side by side, at most thirty messages within any second', async () => {
    const people = await newPeople(45);
    await sending.store.transaction(async (trx) => {
      for (const id of people) {
        await post(trx, {
          key: `m:${id}`,
          chatId: id,
          view: { kind: 'content', content: contentOf('hello') },
        });
      }
    });
    await Promise.all(people.map((id) => shows(id, 'hello')));
    const times = (await callsOf('sendMessage')).map(({ at }) => at);
    expect(times).toHaveLength(45);
    for (const from of times) {
      expect(times.filter((at) => at >= from && at < from + 1_000).length).toBeLessThanOrEqual(31);
    }
    expect(Math.max(...times) - Math.min(...times)).toBeLessThan(4_000);
  });

  it('do not wait for the one that has a hundred messages to read', async () => {
    for (let number = 0; number < 100; number += 1) await sending.say(`n${number}`, ada, `message ${number}`);
    const [other] = await newPeople(1);
    const begun = Date.now();
    await sending.say('answer', other!, 'answer');
    expect((await shows(other!, 'answer')).revisions[0]! - begun).toBeLessThan(500);
  });
});

describe('in one chat', () => {
  it('new messages go before edits, and edits that end something before progress', async () => {
    await sending.say('op', ada, '', { view: operation('op') });
    await sending.say('other', ada, '', { view: operation('other') });
    await sending.say('third', ada, 'third');
    await shows(ada, 'third'); // the burst is spent: from here on it is one a second
    step = 'going on';
    sending.sender.refresh('other');
    await sending.say('op', ada, 'the end');
    await sending.say('new', ada, 'new');
    await shows(ada, 'other: going on');
    const message = (text: string) => chat.messages(ada).find((candidate) => candidate.text === text)!;
    const times = ['new', 'the end', 'other: going on'].map((text) => message(text).revisions.at(-1)!);
    expect(times).toEqual([...times].sort((a, b) => a - b));
  });

  it('what was written in one moment keeps its order, whatever the keys', async () => {
    await sending.store.transaction(async (trx) => {
      for (const key of ['z', 'update:1:10', 'update:1:2', 'a']) {
        await post(trx, { key, chatId: ada, view: { kind: 'content', content: contentOf(key) } });
      }
    });
    await shows(ada, 'a');
    const read = chat.messages(ada).filter(({ fromBot }) => fromBot);
    expect(read.map(({ text }) => text)).toEqual(['z', 'update:1:10', 'update:1:2', 'a']);
  });

  it('a message of progress is edited about once a second, and ends with the newest', async () => {
    await sending.say('op', ada, '', { view: operation('op') });
    await shows(ada, 'op: begun');
    const begun = performance.now();
    let count = 0;
    await vi.waitFor(
      () => {
        count += 1;
        step = `${count}`;
        sending.sender.refresh('op');
        expect(performance.now() - begun).toBeGreaterThan(3_500);
      },
      { timeout: 10_000, interval: 10 },
    );
    await shows(ada, `op: ${count}`);
    const edits = await callsOf('editMessageText');
    expect(edits.length).toBeLessThanOrEqual(6);
    for (const [place, { at }] of edits.slice(1).entries()) {
      expect(at - edits[place]!.at).toBeGreaterThan(900);
    }
  });
});

it('a refresh of what is not there, or no longer known, is dropped', async () => {
  sending.sender.refresh('nothing');
  await sending.say('gone', ada, '', { view: operation('gone') });
  await shows(ada, 'gone: begun');
  await chat.person(ada).deleteHistory();
  step = 'next';
  sending.sender.refresh('gone');
  await vi.waitFor(async () => expect((await sending.row('gone')).message_id).toBeNull());
  await sending.say('gone', ada, 'the end');
  await shows(ada, 'the end');
});
