import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, it, onTestFinished } from 'vitest';
import { ensureLinkSecretOf } from './link-secret.ts';

let folder: string;
let path: string;
beforeEach(() => {
  const made = mkdtempSync(join(tmpdir(), 'berth-link-'));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  folder = made;
  path = join(folder, 'link.secret');
});

it('is made once, for its owner alone, and stays', () => {
  ensureLinkSecretOf({ LINK_SECRET_FILE: path });
  const secret = readFileSync(path, 'utf8');
  expect(secret).toMatch(/^[\w-]{43}\n$/);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  ensureLinkSecretOf({ LINK_SECRET_FILE: path });
  expect(readFileSync(path, 'utf8')).toBe(secret);
});

it('is not made where the secret is given, nor where no file is named', () => {
  ensureLinkSecretOf({ LINK_SECRET: 'given', LINK_SECRET_FILE: path });
  ensureLinkSecretOf({});
  expect(readdirSync(folder)).toEqual([]);
});

it('is never replaced, whatever lies there', () => {
  writeFileSync(path, 'short');
  chmodSync(path, 0o640);
  ensureLinkSecretOf({ LINK_SECRET_FILE: path });
  expect(readFileSync(path, 'utf8')).toBe('short');
});

it('cannot be made in a place that is none, and that is told as a fault of the settings', () => {
  writeFileSync(join(folder, 'file'), '');
  const LINK_SECRET_FILE = join(folder, 'file', 'link.secret');
  expect(() => ensureLinkSecretOf({ LINK_SECRET_FILE })).toThrow(
    `Wrong configuration:\n  LINK_SECRET_FILE: cannot make ${LINK_SECRET_FILE} (`,
  );
});

/** Makes it and says what it reads then, at once, at the word of its parent. */
const maker = `
  const { ensureLinkSecretOf } = await import(${JSON.stringify(join(import.meta.dirname, 'link-secret.ts'))});
  const { readFileSync } = await import('node:fs');
  process.stdout.write('ready ');
  process.stdin.once('data', () => {
    ensureLinkSecretOf({ LINK_SECRET_FILE: process.argv[1] });
    process.stdout.write(readFileSync(process.argv[1], 'utf8'));
    process.exit();
  });`;

it('is the same for several processes that make it at the same moment, and nothing else is left', async () => {
  const start = async () => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', maker, path]);
    let said = '';
    child.stdout.on('data', (piece) => {
      said += piece;
    });
    await once(child.stdout, 'data');
    return { child, said: () => said.replace('ready ', '') };
  };
  const makers = await Promise.all(Array.from({ length: 6 }, start));
  const ends = makers.map(({ child }) => once(child, 'close'));
  for (const { child } of makers) child.stdin.write('go');
  await Promise.all(ends);
  const secret = readFileSync(path, 'utf8');
  expect(secret).toMatch(/^[\w-]{43}\n$/);
  expect(makers.map(({ said }) => said())).toEqual(makers.map(() => secret));
  expect(readdirSync(folder)).toEqual(['link.secret']);
});
