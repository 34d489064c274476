import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { environmentOf, readSettings } from './settings.ts';

const token = '123456:a-real-token-from-botfather';

describe('the settings of all processes', () => {
  it('need nothing: the practice chat takes Telegram’s place', () => {
    const { practice, bot, variables } = readSettings({});
    expect(practice).toMatchObject({ PRACTICE_PORT: 8081, ADMIN_USER_ID: 1001 });
    expect(bot).toMatchObject({ TELEGRAM_API_ROOT: 'http://127.0.0.1:8081', ADMIN_USER_ID: [1001] });
    expect(variables.TELEGRAM_BOT_TOKEN).toBe(practice?.PRACTICE_TOKEN);
  });

  it('do without the practice chat where there is a token, and then need an administrator', () => {
    const settings = readSettings({ TELEGRAM_BOT_TOKEN: token, ADMIN_USER_ID: '7,8' });
    expect(settings).toMatchObject({ practice: null, bot: { ADMIN_USER_ID: [7, 8] } });
    expect(() => readSettings({ TELEGRAM_BOT_TOKEN: token })).toThrow(/ADMIN_USER_ID: is missing/);
  });

  it('list the faults of all processes at once, each once', () => {
    const wrong = {
      LOG_LEVEL: 'loud',
      WORKERS: 'many',
      GATEWAY_PORT: '0',
      SSH_BIND_ADDRESS: 'x',
      EXEC_TIMEOUT: '0',
    };
    const faults = (() => {
      try {
        readSettings(wrong);
      } catch (error) {
        return (error as Error).message.split('\n');
      }
      return [];
    })();
    expect(faults[0]).toBe('Wrong configuration:');
    const names = faults.slice(1).map((line) => line.trim().split(':')[0]);
    expect(names.sort()).toEqual(Object.keys(wrong).sort());
  });
});

describe('the secret that the processes share', () => {
  it('lies in DATA_DIR where the settings say nothing, and is made by none who only reads them', () => {
    const DATA_DIR = join(tmpdir(), 'no-such-folder-of-berth');
    expect(readSettings({ DATA_DIR }).variables.LINK_SECRET_FILE).toBe(join(DATA_DIR, 'link.secret'));
    expect(existsSync(DATA_DIR)).toBe(false);
  });

  it('may be given, or be in a file of one’s own, there or not', () => {
    const given = { LINK_SECRET: 'x'.repeat(32) };
    expect(readSettings(given).variables).toMatchObject(given);
    expect(readSettings({ LINK_SECRET_FILE: '/nowhere/s' }).variables.LINK_SECRET_FILE).toBe('/nowhere/s');
    expect(() => readSettings({ LINK_SECRET: 'short' })).toThrow(/LINK_SECRET: must have at least 32/);
    expect(() => readSettings({ LINK_SECRET_FILE: import.meta.dirname })).toThrow(/EISDIR/);
  });
});

describe('the environment of a process', () => {
  const variables = {
    PATH: '/bin',
    LOG_LEVEL: 'info',
    TELEGRAM_BOT_TOKEN: token,
    TELEGRAM_BOT_TOKEN_FILE: '/run/token',
    SECRET_KEY: 'k',
    SECRET_KEY_FILE: '/run/key',
    PRACTICE_TOKEN: 'p',
    LINK_SECRET: 'l',
    REDIS_URL: 'redis://:password@127.0.0.1',
  };
  const seen = (reader: Parameters<typeof environmentOf>[0]) =>
    Object.keys(environmentOf(reader, variables)).slice(2);

  it('holds the secrets that it needs, and the files they are in, and no others', () => {
    expect(seen('bot')).toEqual([
      'TELEGRAM_BOT_TOKEN',
      'TELEGRAM_BOT_TOKEN_FILE',
      'SECRET_KEY',
      'SECRET_KEY_FILE',
      'LINK_SECRET',
      'REDIS_URL',
    ]);
    expect(seen('worker')).toEqual(['LINK_SECRET', 'REDIS_URL']);
    expect(seen('gateway')).toEqual(['LINK_SECRET', 'REDIS_URL']);
    expect(seen('practice')).toEqual(['PRACTICE_TOKEN']);
    expect(environmentOf('practice', variables)).toMatchObject({ PATH: '/bin', LOG_LEVEL: 'info' });
  });
});
