import { execFile } from 'node:child_process';
import { mkdtemp, rm, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import Sqlite from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { type Berth, startBerth } from './support/berth.ts';
import type { ChatMessage, Participant } from './support/practice-client.ts';

/** The disk of the database is full, or somebody else holds the database: nothing half is stored, people are told. */

const run = promisify(execFile);
let mount: string;
let berth: Berth;
let ann: Participant;
let ben: Participant;

const says = (part: string) => (message: ChatMessage) => message.fromBot && message.text.includes(part);
const since = (id: number, part: string) => (message: ChatMessage) => message.id > id && says(part)(message);
const lastId = (person: Participant): number => person.messages().at(-1)!.id;

/** Takes all the room there is, in the write-ahead log as well, which is written from its beginning again. */
const fill = async (): Promise<string> => {
  const database = new Sqlite(join(mount, 'berth.db'));
  await vi.waitFor(() => expect(database.pragma('wal_checkpoint(truncate)')).toMatchObject([{ busy: 0 }]));
  database.close();
  const path = join(mount, 'ballast');
  const { bavail, bsize } = await statfs(mount);
  await writeFile(path, Buffer.alloc(bavail * bsize));
  return path;
};
/** Everything that the bot has on record, counted; another connection than the bot's, for reading only. */
const counts = () => {
  const database = new Sqlite(join(mount, 'berth.db'), { readonly: true });
  const count = (table: string) => database.prepare(`select count(*) from ${table}`).pluck().get() as number;
  const all = { events: count('events'), operations: count('operations'), outbox: count('outbox') };
  database.close();
  return all;
};

beforeAll(async () => {
  mount = await mkdtemp(join(tmpdir(), 'berth-full-'));
  await run('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', mount]);
  berth = await startBerth({ env: { DATA_DIR: mount } });
  ann = await berth.newUser('Ann');
  ben = await berth.newUser('Ben');
}, 180_000);
afterAll(async () => {
  await berth?.stop();
  await run('umount', [mount]);
  await rm(mount, { recursive: true });
});

describe('while the disk is full', () => {
  it('people and administrators are told, nothing half is stored, and all is done once there is room', {
    timeout: 120_000,
  }, async () => {
    const ballast = await fill();
    const [before, admin, hers] = [counts(), lastId(berth.admin), lastId(ann)];
    await ann.send('/create box');
    await ann.waitForMessage(since(hers, 'disk is full'), { timeoutMs: 15_000 });
    await berth.admin.waitForMessage(since(admin, 'room where DATA_DIR lies'), { timeoutMs: 15_000 });
    await berth.admin.send('/plans');
    await berth.bot().waitForLine(({ attempt }) => typeof attempt === 'number' && attempt >= 3);
    expect(counts()).toEqual(before);
    expect(ann.messages().filter(since(hers, 'disk is full'))).toHaveLength(1);
    expect(berth.admin.messages().filter(since(admin, 'DATA_DIR'))).toHaveLength(1);
    await rm(ballast);
    const freed = performance.now();
    await ann.waitForMessage(since(hers, 'box is running'), { timeoutMs: 40_000 });
    await berth.admin.waitForMessage(since(admin, 'write its database again'), { timeoutMs: 15_000 });
    await berth.admin.waitForMessage(since(admin, 'Basic'), { timeoutMs: 15_000 });
    console.log(`done ${((performance.now() - freed) / 1_000).toFixed(1)} s after there was room`);
    expect(counts()).toMatchObject({ operations: before.operations + 1, outbox: before.outbox + 1 });
    const status = await ann.ask('/status', says('box'));
    expect(status.text).toContain('running');
  });

  it('an end that cannot be recorded is recorded once there is room, and told once', {
    timeout: 120_000,
  }, async () => {
    const hers = lastId(ann);
    await ann.ask('/exec sleep 3; echo over', says('Running'));
    const ballast = await fill();
    await berth.bot().waitForLine(({ msg }) => msg === 'a report could not be recorded yet', 30_000);
    await rm(ballast);
    await ann.waitForMessage(since(hers, 'exit code 0'), { timeoutMs: 40_000 });
    expect(ann.messages().filter(since(hers, 'over\n'))).toHaveLength(1);
  });
});

describe('while another program holds the database', () => {
  it('people are told, and what they sent is taken when it lets go', { timeout: 120_000 }, async () => {
    const his = lastId(ben);
    const database = new Sqlite(join(mount, 'berth.db'));
    onTestFinished(() => {
      database.close();
    });
    database.exec('begin immediate');
    await ben.send('/plans');
    await ben.waitForMessage(since(his, 'cannot write its database'), { timeoutMs: 40_000 });
    database.exec('rollback');
    await ben.waitForMessage(since(his, 'Basic'), { timeoutMs: 60_000 });
    expect(ben.messages().filter(since(his, 'Basic'))).toHaveLength(1);
  });
});
