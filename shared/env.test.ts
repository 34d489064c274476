import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { count, EnvError, hostId, instance, logLevel, parseEnv, port, redisUrl } from './env.ts';

const schema = z.object({ PORT: port, TOKEN: z.string(), NAME: z.string().default('berth') });

const secretFile = (text: string): string => {
  const folder = mkdtempSync(join(tmpdir(), 'berth-env-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'secret');
  writeFileSync(path, text);
  return path;
};

const faultOf = (source: Record<string, string>): string => {
  try {
    parseEnv(schema, source);
  } catch (error) {
    expect(error).toBeInstanceOf(EnvError);
    return (error as Error).message;
  }
  throw new Error('it was accepted');
};

describe('parseEnv', () => {
  it('gives typed values and defaults, and nothing that was not declared', () => {
    expect(parseEnv(schema, { PORT: '8080', TOKEN: 't', HOME: '/root' })).toEqual({
      PORT: 8080,
      TOKEN: 't',
      NAME: 'berth',
    });
  });

  it('takes an empty variable for one that is not set', () => {
    expect(parseEnv(schema, { PORT: '1', TOKEN: 't', NAME: '' }).NAME).toBe('berth');
    expect(faultOf({ PORT: '1', TOKEN: '' })).toContain('TOKEN: is missing');
  });

  it('lists every fault at once, a line each', () => {
    expect(faultOf({ PORT: '70000' })).toBe(
      'Wrong configuration:\n  PORT: must be at most 65535\n  TOKEN: is missing',
    );
  });

  it('reads a secret from the file that …_FILE names, without the newline at its end', () => {
    const TOKEN_FILE = secretFile('hush \n');
    expect(parseEnv(schema, { PORT: '1', TOKEN_FILE }).TOKEN).toBe('hush ');
  });

  it('prefers the variable itself to the file', () => {
    const TOKEN_FILE = secretFile('from the file');
    expect(parseEnv(schema, { PORT: '1', TOKEN: 'direct', TOKEN_FILE }).TOKEN).toBe('direct');
  });

  it('says which file cannot be read, though the variable has a default', () => {
    const source = { PORT: '1', TOKEN: 't', NAME_FILE: '/nowhere/name' };
    expect(faultOf(source)).toContain('NAME_FILE: cannot read /nowhere/name (ENOENT)');
  });

  it('takes an empty file for a variable that is not set', () => {
    expect(faultOf({ PORT: '1', TOKEN_FILE: secretFile('\n') })).toContain('TOKEN: is missing');
  });

  it('does not repeat the value that was wrong, which may be a secret', () => {
    expect(faultOf({ PORT: 'hunter2', TOKEN: 't' })).toBe(
      'Wrong configuration:\n  PORT: must be a whole number (a port)',
    );
  });
});

describe('the common variables', () => {
  it.each([
    ['port', port, ['1', '65535'], ['0', '65536', '-1', '80.5', '0x50', ' 80', '1e3', '٨']],
    ['count', count(64), ['1', '64'], ['0', '65', 'two']],
    ['instance', instance, ['berth', 'a', 'b-2'], ['Berth', '2b', 'a_b', '-a', 'a'.repeat(32), 'a:b', 'a\n']],
    ['host', hostId, ['local', '1'], ['', 'Local', '-a', 'a b']],
    ['Redis', redisUrl, ['redis://h:1', 'rediss://:p@h'], ['http://h', 'redis://', 'localhost:6379']],
    ['log level', logLevel, ['info', 'silent'], ['INFO', 'verbose']],
  ] as const)('%s', (_name, type, good, bad) => {
    for (const text of good) expect(type.safeParse(text).success, text).toBe(true);
    for (const text of bad) expect(type.safeParse(text).success, text).toBe(false);
  });
});
