import { expect, it } from 'vitest';
import { createLog } from '../../../shared/log.ts';
import { openFixture, testToken } from '../../practice/testing/fixture.ts';
import { createApi } from './client.ts';
import { identifyPatiently } from './identify.ts';

const log = createLog('test', 'silent');

it('waits for a Telegram that does not answer yet, and not for one that refuses the token', async () => {
  const fixture = await openFixture();
  const api = createApi({ token: testToken, apiRoot: fixture.url });
  const wrong = createApi({ token: '1:wrong', apiRoot: fixture.url });
  try {
    await fixture.client.fault({ kind: 'drop', method: 'getMe', times: 2 });
    const { signal } = new AbortController();
    expect((await identifyPatiently(api, log, signal)).username).toBe(fixture.client.bot.username);
    await expect(identifyPatiently(wrong, log, signal)).rejects.toThrow(/@BotFather/);
  } finally {
    api.close();
    wrong.close();
    await fixture.close();
  }
});
