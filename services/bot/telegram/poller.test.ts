import type { Update } from 'telegraf/types';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { createLog } from '../../../shared/log.ts';
import { createPracticeServer } from '../../practice/server.ts';
import { type Fixture, openFixture, testToken } from '../../practice/testing/fixture.ts';
import { type Api, createApi, identifyBot } from './client.ts';
import { ConflictError, startPoller } from './poller.ts';

const log = createLog('test', 'silent');
const ada = 1001;

let fixture: Fixture;
let api: Api;
let stopping: AbortController;

beforeEach(async () => {
  fixture = await openFixture();
  api = createApi({ token: testToken, apiRoot: fixture.url });
  stopping = new AbortController();
});
afterEach(async () => {
  stopping.abort();
  api.close();
  await fixture.close();
});

const textOf = (update: Update): string => (update as { message?: { text?: string } }).message?.text ?? '';

const poll = (handle: (update: Update) => Promise<void>) =>
  startPoller({ api, allowedUpdates: ['message'], handle, log, signal: stopping.signal });

const person = () => fixture.client.person(ada);

describe('the poll loop', () => {
  it('hands over updates one after another, in their order', async () => {
    const seen: string[] = [];
    let atOnce = 0;
    for (const text of ['a', 'b', 'c']) await person().send(text);
    poll(async (update) => {
      atOnce += 1;
      expect(atOnce).toBe(1);
      await new Promise(setImmediate);
      seen.push(textOf(update));
      atOnce -= 1;
    });
    await vi.waitFor(() => expect(seen).toEqual(['a', 'b', 'c']));
  });

  it('confirms nothing that was not stored: the same update comes until it is, and nothing behind it is lost', async () => {
    const seen: string[] = [];
    let failures = 0;
    for (const text of ['a', 'b', 'c']) await person().send(text);
    poll(async (update) => {
      if (textOf(update) === 'b' && failures < 2) {
        failures += 1;
        throw new Error('the disk is full');
      }
      seen.push(textOf(update));
    });
    await vi.waitFor(() => expect(seen).toEqual(['a', 'b', 'c']), { timeout: 5_000 });
    expect(failures).toBe(2);
  });

  it('leaves out what has no number, and loses nothing around it', async () => {
    const seen: unknown[] = [];
    const offsets: unknown[] = [];
    const batches: unknown[] = [
      [null, { update_id: 5 }, 'x', { update_id: '6' }, {}, { update_id: 7 }, { update_id: 8.5 }],
    ];
    const odd = {
      call: async (_method: string, { offset }: { offset: number }) => {
        offsets.push(offset);
        const batch = batches.shift();
        if (batch !== undefined) return batch;
        const { promise, reject } = Promise.withResolvers();
        stopping.signal.addEventListener('abort', () => reject(stopping.signal.reason));
        return promise;
      },
    } as unknown as Api;
    startPoller({
      api: odd,
      allowedUpdates: ['message'],
      handle: async ({ update_id }) => void seen.push(update_id),
      log,
      signal: stopping.signal,
    });
    await vi.waitFor(() => expect(offsets).toEqual([0, 8]));
    expect(seen).toEqual([5, 7]);
  });

  it('that ends before an update was stored leaves it to the next one', async () => {
    await person().send('a');
    const first = new AbortController();
    const called = Promise.withResolvers<void>();
    const { ended } = startPoller({
      api,
      allowedUpdates: ['message'],
      log,
      signal: first.signal,
      handle: async () => {
        called.resolve();
        throw new Error('the disk is full');
      },
    });
    await called.promise;
    first.abort();
    await ended;
    const seen: string[] = [];
    poll(async (update) => {
      seen.push(textOf(update));
    });
    await vi.waitFor(() => expect(seen).toEqual(['a']));
  });

  it('ends at once when told, in the middle of a long poll', async () => {
    const { ended } = poll(async () => undefined);
    await vi.waitFor(async () => expect((await fixture.client.updates()).pending).toEqual([]));
    const begun = performance.now();
    stopping.abort();
    await ended;
    expect(performance.now() - begun).toBeLessThan(500);
  });

  it.each(['server-error', 'drop', 'too-many-requests'] as const)('goes on after %s', async (kind) => {
    const trouble = kind === 'too-many-requests' ? { kind, retryAfter: 1 } : { kind };
    await fixture.client.fault({ ...trouble, method: 'getUpdates', times: 2 });
    const seen: string[] = [];
    poll(async (update) => {
      seen.push(textOf(update));
    });
    await person().send('a');
    await vi.waitFor(() => expect(seen).toEqual(['a']), { timeout: 10_000 });
  });

  it('waits while nothing listens there, and goes on when something does', async () => {
    const { port } = new URL(fixture.url);
    await fixture.close();
    const seen: number[] = [];
    const warned = vi.spyOn(log, 'warn');
    poll(async (update) => {
      seen.push(update.update_id);
    });
    await vi.waitFor(() => expect(warned).toHaveBeenCalled());
    const server = createPracticeServer({ log, token: testToken, administratorId: ada });
    onTestFinished(() => server.close());
    server.practice.updates.pushRaw({ update_id: 7, message: { text: 'a' } });
    await server.listen(Number(port));
    await vi.waitFor(() => expect(seen).toEqual([7]), { timeout: 10_000 });
  });

  it.each([
    ['another process', 'Conflict: terminated by other getUpdates request; make sure that only one bot…'],
    ['a webhook', "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook…"],
  ])('says who takes its updates: %s', async (who, description) => {
    await fixture.client.fault({ kind: 'refuse', code: 409, method: 'getUpdates', description });
    const { ended } = poll(async () => undefined);
    await expect(ended).rejects.toThrow(ConflictError);
    await expect(ended).rejects.toThrow(new RegExp(who, 'i'));
  });

  it('ends with words for a person when the token is not accepted any more', async () => {
    await fixture.client.fault({
      kind: 'refuse',
      code: 401,
      method: 'getUpdates',
      description: 'Unauthorized',
    });
    await expect(poll(async () => undefined).ended).rejects.toThrow(/@BotFather/);
  });

  it('that was there first outlasts a second one with the same token, which ends', async () => {
    const seen: string[] = [];
    const first = startPoller({
      api,
      allowedUpdates: ['message'],
      handle: async (update) => {
        seen.push(textOf(update));
      },
      log,
      signal: stopping.signal,
      atWorkAfter: 0,
    });
    await person().send('a');
    await vi.waitFor(() => expect(seen).toEqual(['a']));
    const otherApi = createApi({ token: testToken, apiRoot: fixture.url });
    onTestFinished(() => otherApi.close());
    const second = startPoller({
      api: otherApi,
      allowedUpdates: ['message'],
      handle: async () => undefined,
      log,
      signal: stopping.signal,
    });
    await expect(Promise.race([first.ended, second.ended])).rejects.toThrow(ConflictError);
    await expect(second.ended).rejects.toThrow(ConflictError);
    await person().send('b');
    await vi.waitFor(() => expect(seen).toEqual(['a', 'b']), { timeout: 10_000 });
  });

  it('says clearly that another process polls with the same token', async () => {
    const first = poll(async () => undefined);
    const second = startPoller({
      api: createApi({ token: testToken, apiRoot: fixture.url }),
      allowedUpdates: ['message'],
      handle: async () => undefined,
      log,
      signal: stopping.signal,
    });
    await expect(Promise.race([first.ended, second.ended])).rejects.toThrow(ConflictError);
  });
});

describe('the token', () => {
  it('is tried at the start; a wrong one is said in words', async () => {
    expect((await identifyBot(api)).username).toBe(fixture.client.bot.username);
    const wrong = createApi({ token: '1:wrong', apiRoot: fixture.url });
    await expect(identifyBot(wrong)).rejects.toThrow(/@BotFather/);
  });
});
