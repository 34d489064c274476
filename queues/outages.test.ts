import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { createLog } from '../shared/log.ts';
import { startRedis, type TestRedis } from '../tests/support/redis.ts';
import { buildImage, type JobName, type Report } from './catalog.ts';
import { createConsumer, type Processors } from './consumer.ts';
import { RetryableError } from './errors.ts';
import { createProducer, type Producer } from './producer.ts';
import { subscribeProgress } from './progress.ts';
import { consumeReports } from './reports.ts';
import { linkSecret } from './testing/link-secret.ts';
import { concurrency, createPayload, succeeding } from './testing/processors.ts';

/** Redis, a worker or the bot's database is away for a while; nothing is lost by that, and nothing is given away. */

const log = createLog('test', 'silent');
const instance = 'q';
let redis: TestRedis;
let producer: Producer;
let reports: Report[];
/** The bot's database refuses this many reports. */
let refusals: number;
let closing: { close(): Promise<unknown> }[];

beforeEach(async () => {
  redis = await startRedis({ appendOnly: true });
  reports = [];
  refusals = 0;
  closing = [];
  producer = createProducer({ redisUrl: redis.url, instance, linkSecret, log });
  closing.push(producer, listen());
  await vi.waitFor(() => expect(producer.isReady()).toBe(true));
});
afterEach(async () => {
  await Promise.all(closing.map((one) => one.close()));
  await redis.stop();
});

const listen = () =>
  consumeReports({
    redisUrl: redis.url,
    instance,
    log,
    onReport: async (report) => {
      if (refusals > 0) {
        refusals -= 1;
        throw new Error('canary-of-a-secret');
      }
      reports.push(report);
    },
  });

const consume = (processors: Partial<Processors>, kinds?: readonly ('lifecycle' | 'image')[]) => {
  const consumer = createConsumer({
    linkSecret,
    redisUrl: redis.url,
    instance,
    host: 'h1',
    concurrency,
    log,
    processors: { ...succeeding, ...processors },
    ...(kinds && { kinds }),
  });
  closing.unshift(consumer);
  return consumer;
};
const work = async (processors: Partial<Processors> = {}, kinds?: readonly ('lifecycle' | 'image')[]) => {
  const consumer = consume(processors, kinds);
  await consumer.ready;
  return consumer;
};

const address = (jobName: JobName, operationId: string) => ({
  jobName,
  host: 'h1',
  jobId: `${operationId}.1`,
});
const add = (jobName: 'stop-vm' | 'create-vm' | 'measure-vms', operationId: string) =>
  producer.add({
    ...address(jobName, operationId),
    payload: { ...createPayload(operationId), requestId: operationId, vmIds: [] },
  });
const reportsOf = (operationId: string) => reports.filter((report) => report.operationId === operationId);
const reported = (operationId: string, timeout = 10_000): Promise<Report> =>
  vi.waitFor(
    () => {
      const [found] = reportsOf(operationId);
      expect(found, `a report of ${operationId}`).toBeDefined();
      return found!;
    },
    { timeout, interval: 20 },
  );
/** Fields of jobs and whatever else Redis holds as text. */
const readable = async (): Promise<string> => {
  const client = new Redis(redis.url);
  const parts: unknown[] = [];
  for (const key of await client.keys('*')) {
    const type = await client.type(key);
    if (type === 'hash') parts.push(await client.hgetall(key));
    if (type === 'stream') parts.push(await client.xrange(key, '-', '+'));
    if (type === 'list') parts.push(await client.lrange(key, 0, -1));
    if (type === 'string') parts.push(await client.get(key));
  }
  client.disconnect();
  return JSON.stringify(parts);
};
const waitsUntilAborted = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));

/** A worker process that never ends its job; it ends with the test. */
const startStuckWorker = async (kind: 'lifecycle' | 'image') => {
  const file = join(import.meta.dirname, 'testing/stuck-worker.ts');
  const child = spawn(process.execPath, [file, redis.url, instance, kind]);
  const ended = once(child, 'exit');
  const end = async () => {
    child.kill('SIGKILL');
    await ended;
  };
  onTestFinished(end);
  let output = '';
  child.stdout.on('data', (piece) => {
    output += piece;
  });
  const says = (words: string) => vi.waitFor(() => expect(output).toContain(words), { timeout: 15_000 });
  await says('ready');
  return { says, end, ended, output: () => output, signal: (name: NodeJS.Signals) => child.kill(name) };
};

describe('a report', () => {
  it('comes again until it is recorded, without the error in Redis that kept it', async () => {
    refusals = 2;
    await work();
    await add('stop-vm', 'o1');
    await vi.waitFor(() => expect(refusals).toBe(0));
    expect(await readable()).not.toContain('canary-of-a-secret');
    await reported('o1');
    expect(await readable()).not.toContain('canary-of-a-secret');
  });

  it('waits for a bot that is away', async () => {
    await closing.pop()!.close();
    await work();
    await add('stop-vm', 'o1');
    await vi.waitFor(async () =>
      expect((await producer.inspect(address('stop-vm', 'o1'))).state).toBe('completed'),
    );
    expect(reports).toEqual([]);
    closing.push(listen());
    expect((await reported('o1')).outcome.kind).toBe('succeeded');
  });
});

describe('tries', () => {
  it('follow each other with growing pauses', async () => {
    const times: number[] = [];
    await work({
      stopVm: async () => {
        times.push(performance.now());
        throw new RetryableError('docker-unreachable', 'canary-of-a-secret');
      },
    });
    await add('stop-vm', 'o1');
    await vi.waitFor(
      async () => {
        expect(times).toHaveLength(2);
        expect((await producer.inspect(address('stop-vm', 'o1'))).state).toBe('delayed');
      },
      { timeout: 5_000 },
    );
    expect(await readable()).not.toContain('canary-of-a-secret');
    expect((await reported('o1')).outcome).toMatchObject({ reason: { code: 'docker-unreachable' } });
    expect(times).toHaveLength(3);
    expect(times[1]! - times[0]!).toBeGreaterThan(700);
    expect(times[2]! - times[1]!).toBeGreaterThan(1_400);
  });

  it('are not used up by a worker that shuts down', async () => {
    const first = await work({ measureVms: (_payload, { signal }) => waitsUntilAborted(signal) });
    await add('measure-vms', 'r1'); // has one try
    await vi.waitFor(async () =>
      expect((await producer.inspect(address('measure-vms', 'r1'))).state).toBe('active'),
    );
    await first.close(50);
    await work();
    expect((await reported('r1')).outcome).toEqual({ kind: 'succeeded', result: { vms: [] } });
  });
});

describe('Redis', () => {
  it('that goes away in the middle of a job finds its outcome when it is back', async () => {
    const finish = Promise.withResolvers<void>();
    let begun = 0;
    await work({
      stopVm: async () => {
        begun += 1;
        if (begun === 1) await finish.promise;
        return {};
      },
    });
    await add('stop-vm', 'o1');
    await vi.waitFor(() => expect(begun).toBe(1));
    await redis.kill9();
    finish.resolve();
    await redis.restart();
    expect((await reported('o1', 25_000)).outcome.kind).toBe('succeeded');
    await vi.waitFor(
      async () => expect((await producer.inspect(address('stop-vm', 'o1'))).state).toBe('completed'),
      { timeout: 25_000 },
    );
  }, 60_000);

  it('that comes up after the worker is found by it', async () => {
    await redis.kill9();
    const consumer = consume({});
    await redis.restart();
    await consumer.ready;
    await vi.waitFor(() => add('stop-vm', 'o1'), { timeout: 10_000 });
    await reported('o1');
  });

  it('that never came up keeps nobody from ending', async () => {
    await redis.kill9();
    const redisUrl = redis.url;
    const consumer = consume({});
    consumer.ready.catch(() => undefined); // it never is
    const all = [
      ...closing,
      createProducer({ redisUrl, instance, linkSecret, log }),
      listen(),
      subscribeProgress({ redisUrl, instance, linkSecret, log }, () => undefined),
    ];
    closing = [];
    const begun = performance.now();
    await Promise.all(all.map((one) => one.close()));
    expect(performance.now() - begun).toBeLessThan(12_000);
  });
});

describe('a worker that was frozen for long', () => {
  it('lets go of the job that another one has done meanwhile, and says nothing of it', async () => {
    const frozen = await startStuckWorker('lifecycle');
    await add('stop-vm', 'o1');
    await frozen.says('took');
    frozen.signal('SIGSTOP');
    await work();
    await reported('o1', 25_000);
    expect(frozen.output()).not.toContain('let go');
    frozen.signal('SIGCONT');
    await frozen.says('let go');
    frozen.signal('SIGTERM');
    await frozen.ended;
    expect((await producer.inspect(address('stop-vm', 'o1'))).outcome).toMatchObject({ kind: 'succeeded' });
    expect(reportsOf('o1')).toHaveLength(1);
  }, 60_000);
});

describe('one build at a time', () => {
  it.each([
    ['holds across the workers of a host', false],
    ['holds also after Redis was wiped', true],
  ])('%s', async (_what, wiped) => {
    let building = 0;
    let most = 0;
    const finish = Promise.withResolvers<void>();
    const processors: Partial<Processors> = {
      createVm: async (_payload, { runFirst }) => {
        expect((await runFirst(buildImage, { force: false, correlationId: 'c' })).kind).toBe('succeeded');
        return { containerId: 'c', hostKeyFingerprint: 'k' };
      },
      buildImage: async () => {
        building += 1;
        most = Math.max(most, building);
        await finish.promise;
        building -= 1;
        return { imageId: 'i', built: true };
      },
    };
    await work(processors);
    await work(processors);
    // Redis loses with everything else how many builds it may give away; the workers stay as they are.
    if (wiped) await redis.wipe();
    for (const id of ['c1', 'c2', 'c3']) await add('create-vm', id);
    for (const id of ['c1', 'c2', 'c3']) {
      await vi.waitFor(async () =>
        expect((await producer.inspect(address('create-vm', id))).state).toBe('waiting-children'),
      );
    }
    await vi.waitFor(() => expect(building).toBeGreaterThan(0));
    finish.resolve();
    for (const id of ['c1', 'c2', 'c3']) await reported(id);
    expect(most).toBe(1);
  });

  it('goes on in another worker when the one that built is killed, and whoever waits gets its VM', async () => {
    const builder = await startStuckWorker('image');
    await work(
      {
        createVm: async (_payload, { runFirst }) => {
          const outcome = await runFirst(buildImage, { force: false, correlationId: 'c' });
          expect(outcome.kind).toBe('succeeded');
          return { containerId: 'c', hostKeyFingerprint: 'k' };
        },
      },
      ['lifecycle'],
    );
    await add('create-vm', 'c1');
    await builder.says('took');
    await builder.end();
    await work({}, ['image']);
    expect((await reported('c1', 25_000)).outcome.kind).toBe('succeeded');
  }, 60_000);
});
