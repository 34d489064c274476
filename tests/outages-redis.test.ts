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
  berth = await startBerth();
  ann = await berth.newUser('Ann');
  ben = await berth.newUser('Ben');
  await Promise.all([
    ann.ask('/create box', says('box is running'), { timeoutMs: 60_000 }),
    ben.ask('/create den', says('den is running'), { timeoutMs: 60_000 }),
  ]);
}, 240_000);
afterAll(() => berth?.stop());

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
        await berth.redis.wipe();
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
