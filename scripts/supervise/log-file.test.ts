import { mkdtemp, readFile, rm, stat, symlink, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openLogFile } from './log-file.ts';

let folder: string;
let path: string;
let said: string[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'berth-log-'));
  path = join(folder, 'bot.log');
  said = [];
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const open = () => openLogFile(path, (text) => said.push(text));
const read = () => readFile(path, 'utf8').catch(() => '');

describe('the log of a process', () => {
  it('begins anew, keeps the one before, and is nobody else’s to read', async () => {
    await writeFile(path, 'before\n');
    open().write('now\n');
    await expect.poll(read).toBe('now\n');
    expect(await readFile(`${path}.1`, 'utf8')).toBe('before\n');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  it('complains once of a full disk, loses lines only while it is full, and ends nothing', async () => {
    const log = open();
    await symlink('/dev/full', path);
    log.write('lost\n');
    await expect.poll(() => said).toHaveLength(1);
    expect(said[0]).toMatch(/bot\.log cannot be written, lines of it are missing: ENOSPC/);
    log.write('lost as well\n');
    await unlink(path);
    await expect
      .poll(async () => {
        log.write('room again\n');
        return read();
      })
      .toContain('room again\n');
    expect(said).toHaveLength(1);
  });
});
