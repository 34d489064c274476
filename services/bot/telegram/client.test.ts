import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { DeadlineError } from '../../../shared/lifecycle.ts';
import { type Fixture, openFixture, testToken } from '../../practice/testing/fixture.ts';
import { createApi, identifyBot, TokenRefusedError } from './client.ts';

let fixture: Fixture;

beforeEach(async () => {
  fixture = await openFixture();
});
afterEach(() => fixture.close());

const open = (options = {}) => createApi({ token: testToken, apiRoot: fixture.url, ...options });

it('the bot is told who it is', async () => {
  expect(await identifyBot(open())).toMatchObject({ username: fixture.client.bot.username });
});

it.each(['1:wrong', 'nonsense'])(
  'a token that Telegram does not know (%s) is said in words',
  async (token) => {
    await expect(identifyBot(open({ token }))).rejects.toThrow(TokenRefusedError);
  },
);

it('an outage at the start is no word about the token', async () => {
  await fixture.client.fault({ kind: 'server-error', method: 'getMe', times: 1 });
  await expect(identifyBot(open())).rejects.toThrow(/502/);
});

it('a call that is not answered ends at its deadline', async () => {
  await fixture.client.fault({ kind: 'silence', method: 'getMe' });
  const begun = performance.now();
  await expect(open().call('getMe', {}, { deadline: 200 })).rejects.toThrow(DeadlineError);
  expect(performance.now() - begun).toBeLessThan(2_000);
});

it('a call ends at once when it is aborted, or all calls are given up', async () => {
  await fixture.client.fault({ kind: 'silence', method: 'getMe' });
  const api = open();
  const aborting = new AbortController();
  const aborted = api.call('getMe', {}, { signal: aborting.signal });
  const givenUp = api.call('getMe', {});
  const both = Promise.allSettled([aborted, givenUp]);
  await vi.waitFor(async () => expect(await fixture.client.calls()).toHaveLength(2));
  const begun = performance.now();
  aborting.abort();
  api.close();
  expect((await both).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(performance.now() - begun).toBeLessThan(500);
});
