import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, it, onTestFinished } from 'vitest';
import { type HandOver, handOver } from './hand-over.ts';

const newFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'berth-hand-over-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
};

const variables = { PATH: process.env.PATH, TOKEN: 'hush-hush', KEY: 'whisper', EMPTY: '', OTHER: 'plain' };
const hand = (folder: string): HandOver => {
  const handed = handOver(variables, ['TOKEN', 'KEY', 'EMPTY', 'ABSENT'], folder);
  onTestFinished(() => {
    for (const file of handed.files) closeSync(file);
  });
  return handed;
};

/** Reads its secrets, and says what one that it starts itself finds in its place. */
const reader = `
  const { readFileSync } = require('node:fs');
  const { execFileSync } = require('node:child_process');
  const secrets = [process.env.TOKEN_FILE, process.env.KEY_FILE].map((path) => readFileSync(path, 'utf8'));
  const inherited = execFileSync('sh', ['-c', 'cat "$TOKEN_FILE" 2>/dev/null || echo none; tr "\\\\0" " " < /proc/self/environ']);
  const environ = readFileSync('/proc/self/environ', 'utf8');
  process.stdout.write(JSON.stringify({ secrets, environ, inherited: inherited.toString() }));`;

const read = async ({ variables: env, files }: HandOver) => {
  const child = spawn(process.execPath, ['-e', reader], {
    env,
    stdio: ['ignore', 'pipe', 'inherit', 'ipc', ...files],
  });
  return JSON.parse(await text(child.stdout!)) as { secrets: string[]; environ: string; inherited: string };
};

it('secrets come in files, again at every start, and stand in no environment', async () => {
  const handed = hand(newFolder());
  expect(handed.variables).toMatchObject({ EMPTY: '', OTHER: 'plain' });
  for (const _start of [1, 2]) {
    const { secrets, environ } = await read(handed);
    expect(secrets).toEqual(['hush-hush', 'whisper']);
    expect(environ).toContain('OTHER=plain');
    expect(environ).not.toMatch(/hush-hush|whisper/);
  }
});

it('what the process starts itself inherits neither the files nor their content', async () => {
  const { inherited } = await read(hand(newFolder()));
  expect(inherited).toMatch(/^none/);
  expect(inherited).not.toMatch(/hush-hush|whisper/);
});

it('nothing of it lies in the folder', () => {
  const folder = newFolder();
  hand(folder);
  expect(readdirSync(folder)).toEqual([]);
});
