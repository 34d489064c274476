import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Berth, startBerth } from './support/berth.ts';
import { findContainers } from './support/docker.ts';
import type { ChatMessage, Participant } from './support/practice-client.ts';
import { findFreePort } from './support/redis.ts';

/** Redis is away, hangs, or takes no writes: people read what is going on, and nothing that was accepted is lost. */

let berth: Berth;
let ann: Participant;
let ben: Participant;

const says = (part: string) => (message: ChatMessage) => message.fromBot && message.text.includes(part);
const shows = (person: Participant, id: number, part: string, timeoutMs: number) =>
  person.waitForMessage((message) => message.id === id && message.text.includes(part), { timeoutMs });
const tell = async (...commands: string[][]): Promise<void> => {
  const client = new Redis(berth.redis.url);
  for (const [command, ...args] of commands) await client.call(command!, ...args);
  client.disconnect();
};

beforeAll(async () => {
  berth = await startBerth({ appendOnly: false });
  ann = await berth.newUser('Ann');
  ben = await berth.newUser('Ben');
  await Promise.all([
    ann.ask('/create box', says('box is running'), { timeoutMs: 60_000 }),
    ben.ask('/create den', says('den is running'), { timeoutMs: 60_000 }),
  ]);
}, 240_000);
afterAll(() => berth?.stop());

/** A save that fails, as on a full disk: where its file belongs there is a folder, which root cannot replace either. */
const breakSaving = async (): Promise<void> => {
  const client = new Redis(berth.redis.url);
  const [, folder] = (await client.config('GET', 'dir')) as [string, string];
  await mkdir(join(folder, 'dump.rdb', 'full'), { recursive: true });
  await client.config('SET', 'save', '3600 1000000');
  await client.bgsave();
  await expect
    .poll(() => client.info('persistence'), { timeout: 10_000 })
    .toContain('rdb_last_bgsave_status:err');
  client.disconnect();
};
const mendSaving = async (): Promise<void> => {
  const client = new Redis(berth.redis.url);
  const [, folder] = (await client.config('GET', 'dir')) as [string, string];
  await rm(join(folder, 'dump.rdb'), { recursive: true });
  await client.bgsave();
  await expect
    .poll(() => client.info('persistence'), { timeout: 10_000 })
    .toContain('rdb_last_bgsave_status:ok');
  await client.config('SET', 'save', '');
  // The next one who is killed comes back with nothing.
  await rm(join(folder, 'dump.rdb'));
  client.disconnect();
};

/** `keepsRunning`: whether what runs meanwhile is still known when it is over. */
type Fault = { cause: string; begin(): Promise<unknown>; end(): Promise<unknown>; keepsRunning: boolean };

const faults: [string, Fault][] = [
  [
    'is full',
    {
      cause: 'Redis is full',
      begin: () => tell(['config', 'set', 'maxmemory', '1']),
      end: () => tell(['config', 'set', 'maxmemory', '0']),
      keepsRunning: true,
    },
  ],
  [
    'is a replica that takes no writes',
    {
      cause: 'Redis takes no changes',
      begin: async () => tell(['replicaof', '127.0.0.1', `${await findFreePort()}`]),
      end: () => tell(['replicaof', 'no', 'one']),
      keepsRunning: true,
    },
  ],
  [
    'misses its replicas',
    {
      cause: 'Redis takes no changes',
      begin: () => tell(['config', 'set', 'min-replicas-to-write', '1']),
      end: () => tell(['config', 'set', 'min-replicas-to-write', '0']),
      keepsRunning: true,
    },
  ],
  [
    'cannot save',
    { cause: 'Redis cannot save to its disk', begin: breakSaving, end: mendSaving, keepsRunning: true },
  ],
  [
    'hangs',
    {
      cause: 'Redis does not answer',
      begin: async () => process.kill(berth.redis.pid(), 'SIGSTOP'),
      end: async () => process.kill(berth.redis.pid(), 'SIGCONT'),
      keepsRunning: false,
    },
  ],
  [
    'is killed, and comes back with nothing',
    {
      cause: 'Redis does not answer',
      begin: () => berth.redis.kill9(),
      end: async () => {
        await berth.redis.restart();
      },
      keepsRunning: false,
    },
  ],
];

describe.each(faults)('while Redis %s', (_how, { cause, begin, end, keepsRunning }) => {
  it('commands are taken and wait, people read why, and all of them end once it is over', {
    timeout: 150_000,
  }, async () => {
    const long = await ben.ask('/exec sleep 6; echo once | tee -a count', says('Running'));
    const admin = berth.admin.messages().at(-1)!.id;
    await begin();
    const stop = await ann.ask('/stop', says('Stopping'));
    const begun = performance.now();
    await shows(ann, stop.id, `${cause}; your command waits`, 15_000);
    const toldAfter = (performance.now() - begun) / 1_000;
    const status = await ann.ask('/status', says('box'));
    expect(status.text).toContain(`${cause}: this is what was known last`);
    const info = await berth.admin.ask('/admin_info', says('Host local'));
    expect(info.text).toContain(`🔴 ${cause}: no work reaches the workers`);
    const isTold = ({ id, text }: ChatMessage) => id > admin && text.startsWith(`🔴 ${cause}.`);
    const told = await berth.admin.waitForMessage(isTold, { timeoutMs: 25_000 });
    await end();
    const over = performance.now();
    await shows(ann, stop.id, 'is stopped', 25_000);
    const doneAfter = (performance.now() - over) / 1_000;
    await berth.admin.waitForMessage(({ id, text }) => id > told.id && text.startsWith('🟢 Redis'), {
      timeoutMs: 15_000,
    });
    expect(berth.admin.messages().filter(isTold)).toHaveLength(1);
    const ended = await ben.waitForMessage(({ id, text }) => id === long.id && /✅|❌/.test(text), {
      timeoutMs: 40_000,
    });
    if (keepsRunning) expect(ended.text).toContain('exit code 0');
    else expect(ended.text).toMatch(/exit code 0|unknown/);
    const count = await ben.ask('/exec wc -l < count; rm count', says('exit code 0'), { timeoutMs: 20_000 });
    expect(count.text).toMatch(/\n1\n/);
    await ann.ask('/start_vm', says('is running again'), { timeoutMs: 30_000 });
    expect(await findContainers(berth.instance)).toHaveLength(2);
    console.log(
      `${_how}: told after ${toldAfter.toFixed(1)} s, done ${doneAfter.toFixed(1)} s after it was over; ${ended.text.split('\n').at(-1)}`,
    );
  });
});

it('what waited in a Redis that was killed, and keeps nothing, is done all the same, once', {
  timeout: 120_000,
}, async () => {
  await berth.workers()[0]!.end();
  const added = () =>
    berth
      .bot()
      .lines()
      .filter(({ msg }) => msg === 'job added').length;
  const before = added();
  const stop = await ann.ask('/stop', says('Stopping'));
  const exec = await ben.ask('/exec echo once | tee -a count', says('echo once'));
  await expect.poll(added, { timeout: 15_000 }).toBe(before + 2);
  await berth.redis.restart();
  const client = new Redis(berth.redis.url);
  // Nothing was kept: the bot has begun anew to write, but no queue of before is there yet.
  expect(await client.exists(`${berth.instance}:exec.local:wait`)).toBe(0);
  client.disconnect();
  await berth.startWorker();
  await shows(ann, stop.id, 'is stopped', 40_000);
  await shows(ben, exec.id, 'exit code 0', 40_000);
  const count = await ben.ask('/exec wc -l < count; rm count', says('exit code 0'), { timeoutMs: 20_000 });
  expect(count.text).toMatch(/\n1\n/);
});
