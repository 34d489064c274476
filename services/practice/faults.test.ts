import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { administrator, type Fixture, openFixture, refusalOf } from './testing/fixture.ts';

let fixture: Fixture;
const ada = () => fixture.client.person(administrator);
const send = (text: string) => fixture.telegram.sendMessage(administrator, text);
const reads = (text: string) =>
  ada()
    .messages()
    .some((message) => message.text === text);

beforeAll(async () => {
  fixture = await openFixture();
  await ada().send('/start');
  await fixture.client.person(1002).send('/start');
});
afterAll(() => fixture.close());
afterEach(() => fixture.client.clearFaults());

it('answers 429 with the seconds to wait, as often as asked for', async () => {
  await fixture.client.fault({ kind: 'too-many-requests', retryAfter: 7, method: 'sendMessage', times: 2 });
  for (const _time of [1, 2]) {
    await expect(send('limited')).rejects.toMatchObject({
      response: {
        error_code: 429,
        description: 'Too Many Requests: retry after 7',
        parameters: { retry_after: 7 },
      },
    });
  }
  await send('free again');
  expect(reads('limited')).toBe(false);
});

it('strikes one chat and leaves the others alone', async () => {
  await fixture.client.fault({ kind: 'blocked', chatId: 1002 });
  expect(await refusalOf(fixture.telegram.sendMessage(1002, 'x'))).toBe(
    '403 Forbidden: bot was blocked by the user',
  );
  await send('unharmed');
});

it('answers 5xx until it is cleared', async () => {
  const fault = await fixture.client.fault({ kind: 'server-error', status: 502 });
  expect(await refusalOf(send('x'))).toBe('502 Bad Gateway');
  expect(await refusalOf(fixture.telegram.getMe())).toBe('502 Bad Gateway');
  await fault.clear();
  await fixture.telegram.getMe();
});

it('closes connections before or after the call took effect', async () => {
  await fixture.client.fault({ kind: 'drop', times: 1 });
  await expect(send('dropped before')).rejects.toThrow('socket hang up');
  await fixture.client.fault({ kind: 'drop', done: true, times: 1 });
  await expect(send('dropped after')).rejects.toThrow('socket hang up');
  await ada().waitForMessage(({ text }) => text === 'dropped after');
  expect(reads('dropped before')).toBe(false);
});

it('falls silent before or after the call took effect', async () => {
  const giveUpOn = async (text: string) => {
    const leaving = new AbortController();
    const signal = leaving.signal as never; // telegraf's own type of an AbortSignal
    const payload = { chat_id: administrator, text };
    const call = expect(fixture.telegram.callApi('sendMessage', payload, { signal })).rejects.toThrow(
      'aborted',
    );
    const silences = (calls: { status: string }[]) =>
      calls.filter(({ status }) => status === 'silent').length;
    const before = silences(await fixture.client.calls());
    await expect.poll(async () => silences(await fixture.client.calls())).toBe(before + 1);
    leaving.abort();
    await call;
  };
  await fixture.client.fault({ kind: 'silence', times: 1 });
  await giveUpOn('silent before');
  await fixture.client.fault({ kind: 'silence', done: true, times: 1 });
  await giveUpOn('silent after');
  await ada().waitForMessage(({ text }) => text === 'silent after');
  expect(reads('silent before')).toBe(false);
});

it('refuses as it is told', async () => {
  await fixture.client.fault({
    kind: 'refuse',
    description: "Bad Request: can't parse entities: test",
    times: 1,
  });
  expect(await refusalOf(send('x'))).toBe("400 Bad Request: can't parse entities: test");
});
