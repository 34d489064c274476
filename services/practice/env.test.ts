import { expect, it } from 'vitest';
import { parsePracticeEnv } from './env.ts';

it('needs no variable at all', () => {
  expect(parsePracticeEnv({})).toMatchObject({
    PRACTICE_PORT: 8081,
    PRACTICE_BIND_ADDRESS: '127.0.0.1',
    DATA_DIR: './data',
    ADMIN_USER_ID: 1001,
  });
});

it('takes the first of several administrators', () => {
  expect(parsePracticeEnv({ ADMIN_USER_ID: '42, 43' }).ADMIN_USER_ID).toBe(42);
});

it('listens on all addresses only where another container is to reach it', () => {
  const everywhere = { PRACTICE_BIND_ADDRESS: '0.0.0.0' };
  expect(() => parsePracticeEnv(everywhere)).toThrow('PRACTICE_BIND_ADDRESS: must be a loopback address');
  const env = parsePracticeEnv({ ...everywhere, PRACTICE_URL: 'http://practice:8081' });
  expect(env.PRACTICE_BIND_ADDRESS).toBe('0.0.0.0');
});

it('lists every fault at once, an address that others can reach among them', () => {
  const wrong = {
    PRACTICE_PORT: 'x',
    PRACTICE_BIND_ADDRESS: '0.0.0.0',
    PRACTICE_TOKEN: 'x',
    ADMIN_USER_ID: 'ada',
  };
  expect(() => parsePracticeEnv(wrong)).toThrow(
    /PRACTICE_PORT: .*\n.*PRACTICE_TOKEN: .*\n.*ADMIN_USER_ID: .*\n.*PRACTICE_BIND_ADDRESS: must be a loopback/,
  );
});
