import { afterAll, describe, expect, it } from 'vitest';
import { createLog } from '../../../shared/log.ts';
import { createPracticeServer } from '../server.ts';
import { administrator, testToken } from '../testing/fixture.ts';

const server = createPracticeServer({
  log: createLog('practice', 'silent'),
  token: testToken,
  administratorId: administrator,
  nameForBot: 'http://practice:8081',
});
afterAll(() => server.close());

const get = async (url: string, headers: Record<string, string>): Promise<number> =>
  (await server.app.inject({ method: 'GET', url, headers })).statusCode;

describe('the practice chat', () => {
  it('answers under loopback names only, and no other site’s page', async () => {
    expect(await get('/', { host: '127.0.0.1:8081' })).toBe(200);
    expect(await get('/', { host: 'localhost:8081' })).toBe(200);
    expect(await get('/', { host: 'rebound.example.org:8081' })).toBe(403);
    const post = { host: '127.0.0.1:8081', origin: 'https://example.org' };
    expect(await get(`/bot${testToken}/getMe`, post)).toBe(403);
  });

  it('answers the bot under the name that it has for it, and there nothing but the Bot API', async () => {
    const host = 'practice:8081';
    expect(await get(`/bot${testToken}/getMe`, { host })).toBe(200);
    expect(await get('/bot1000000:somebody-elses-token/getMe', { host })).toBe(401);
    for (const path of ['/', '/practice/events', '/practice/people', '/bot-page', `//bot${testToken}/getMe`])
      expect(await get(path, { host }), path).toBe(403);
    expect(await get(`/bot${testToken}/getMe`, { host: 'other:8081' })).toBe(403);
    expect(await get(`/bot${testToken}/getMe`, { host, 'sec-fetch-site': 'none' }), 'a browser').toBe(403);
  });
});
