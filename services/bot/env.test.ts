import { describe, expect, it } from 'vitest';
import { parseBotEnv as parse } from './env.ts';

const token = '123456:a-real-token-from-botfather';
const LINK_SECRET = 'a secret of all processes of this test';
const parseBotEnv = (source: Record<string, string>) => parse({ LINK_SECRET, ...source });
const PRACTICE_URL = 'http://practice:8081/';

describe('the bot’s variables', () => {
  it('need a token and an administrator', () => {
    expect(() => parseBotEnv({})).toThrow(/TELEGRAM_BOT_TOKEN: is missing.*\n.*ADMIN_USER_ID: is missing/);
  });

  it('need neither where the practice chat can be reached', () => {
    expect(parseBotEnv({ PRACTICE_URL, TELEGRAM_API_ROOT: 'https://api.telegram.org' })).toMatchObject({
      TELEGRAM_API_ROOT: 'http://practice:8081',
      ADMIN_USER_ID: [1001],
    });
    const named = { PRACTICE_URL, PRACTICE_TOKEN: '7000000:of-this-chat', ADMIN_USER_ID: '7' };
    expect(parseBotEnv(named)).toMatchObject({
      TELEGRAM_BOT_TOKEN: named.PRACTICE_TOKEN,
      ADMIN_USER_ID: [7],
    });
  });

  it('of a bot with a token know nothing of the practice chat', () => {
    const env = parseBotEnv({ PRACTICE_URL, TELEGRAM_BOT_TOKEN: token, ADMIN_USER_ID: '7' });
    expect(env).toMatchObject({ TELEGRAM_BOT_TOKEN: token, TELEGRAM_API_ROOT: 'https://api.telegram.org' });
  });
});
