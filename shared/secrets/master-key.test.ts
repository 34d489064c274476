import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { loadMasterKey } from './master-key.ts';

let dataDir: string;
beforeEach(() => {
  const made = mkdtempSync(join(tmpdir(), 'berth-key-'));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  dataDir = made;
});
const load = (secretKey?: string) => loadMasterKey({ dataDir, secretKey });

describe('without SECRET_KEY', () => {
  it('a key is made once, for the owner alone to read', () => {
    const key = load();
    expect(key).toHaveLength(32);
    expect(load()).toEqual(key);
    expect(statSync(join(dataDir, 'secret.key')).mode & 0o777).toBe(0o600);
  });

  it('is for the owner alone whatever the umask', () => {
    const umask = process.umask(0);
    onTestFinished(() => void process.umask(umask));
    load();
    expect(statSync(join(dataDir, 'secret.key')).mode & 0o777).toBe(0o600);
  });

  it('is made in a folder that does not exist yet', () => {
    dataDir = join(dataDir, 'new', 'folder');
    expect(load()).toEqual(load());
  });

  it('a damaged key is said to be damaged, and is not replaced', () => {
    writeFileSync(join(dataDir, 'secret.key'), 'c2hvcnQ=\n');
    expect(() => load()).toThrow('secret.key is damaged: it must hold 32 bytes in base64');
    expect(readFileSync(join(dataDir, 'secret.key'), 'utf8')).toBe('c2hvcnQ=\n');
  });
});

describe('with SECRET_KEY', () => {
  it('the key follows from it, and no file is made', () => {
    const key = load('a'.repeat(32));
    expect(key).toHaveLength(32);
    expect(load('a'.repeat(32))).toEqual(key);
    expect(load(`${'a'.repeat(31)}b`)).not.toEqual(key);
    expect(() => statSync(join(dataDir, 'secret.key'))).toThrow('ENOENT');
  });

  it('that is too short is refused, and not repeated in the message', () => {
    expect(() => load('short-secret')).toThrow('SECRET_KEY: must have at least 32 characters');
    expect(() => load('short-secret')).not.toThrow('short-secret');
  });
});
