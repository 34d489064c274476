import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { createLog } from '../shared/log.ts';
import { startRedis, type TestRedis } from '../tests/support/redis.ts';
import { buildImage, type Progress, type Report } from './catalog.ts';
import { type Consumer, createConsumer, type Processors } from './consumer.ts';
import { OperationError, RetryableError } from './errors.ts';
import { createProducer, type Producer } from './producer.ts';
import { subscribeProgress } from './progress.ts';
import { consumeReports } from './reports.ts';
import { linkSecret } from './testing/link-secret.ts';
import { concurrency, createPayload, succeeding } from './testing/processors.ts';

const log = createLog('test', 'silent');
let redis: TestRedis;
let instance: string;
let producer: Producer;
let reports: Report[];
let closing: { close(): Promise<unknown> }[];

beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());

beforeEach(async () => {
  instance = `q${Math.random().toString(36).slice(2, 8)}`;
  reports = [];
  closing = [];
  producer = createProducer({ redisUrl: redis.url, instance, linkSecret, log });
  closing.push(producer);
  const consumer = consumeReports({
    redisUrl: redis.url,
    instance,
    log,
    onReport: async (report) => {
      reports.push(report);
    },
  });
  closing.push(consumer);
  await consumer.ready;
  await vi.waitFor(() => expect(producer.isReady()).toBe(true));
});
afterEach(async () => {
  await Promise.all(closing.map((one) => one.close()));
});

const work = async (processors: Partial<Processors> = {}): Promise<Consumer> => {
  const consumer = createConsumer({
    linkSecret,
    redisUrl: redis.url,
    instance,
    host: 'h1',
    concurrency,
    log,
    processors: { ...succeeding, ...processors },
  });
  closing.unshift(consumer);
  await consumer.ready;
  return consumer;
};

const address = (jobName: 'create-vm' | 'stop-vm' | 'start-vm' | 'exec', operationId: string) => ({
  jobName,
  host: 'h1',
  jobId: `${operationId}.1`,
});
const add = (jobName: 'stop-vm' | 'start-vm' | 'exec', operationId: string, epoch = 1) =>
  producer.add({
    ...address(jobName, operationId),
    payload: { ...createPayload(operationId, epoch), timeoutSeconds: 1 },
  });
const addCreate = (operationId: string) =>
  producer.add({ ...address('create-vm', operationId), payload: createPayload(operationId) });

const reported = (operationId: string, timeout = 10_000): Promise<Report> =>
  vi.waitFor(
    () => {
      const found = reports.find((report) => report.operationId === operationId);
      expect(found, `a report of ${operationId}`).toBeDefined();
      return found!;
    },
    { timeout, interval: 20 },
  );

/** Everything that Redis holds, as text. */
const dump = async (): Promise<string> => {
  const client = new Redis(redis.url);
  const parts: string[] = [];
  for (const key of await client.keys('*')) {
    parts.push(key, JSON.stringify(await client.call('DUMP', key)), `${await client.type(key)}`);
    const type = await client.type(key);
    if (type === 'hash') parts.push(JSON.stringify(await client.hgetall(key)));
    if (type === 'stream') parts.push(JSON.stringify(await client.xrange(key, '-', '+')));
    if (type === 'list') parts.push(JSON.stringify(await client.lrange(key, 0, -1)));
    if (type === 'string') parts.push(`${await client.get(key)}`);
  }
  client.disconnect();
  return parts.join('\n');
};

describe('a job', () => {
  it('that is added twice runs once, while it waits and after it has ended', async () => {
    let runs = 0;
    await add('stop-vm', 'o1');
    await add('stop-vm', 'o1');
    await work({
      stopVm: async () => {
        runs += 1;
        return {};
      },
    });
    await reported('o1');
    await add('stop-vm', 'o1');
    await add('start-vm', 'o2');
    await reported('o2');
    expect(runs).toBe(1);
  });

  it('tells its place in the queue, and its outcome when it has ended', async () => {
    for (const id of ['o1', 'o2', 'o3']) await add('stop-vm', id);
    expect(await producer.position(address('stop-vm', 'o3'))).toBe(2);
    expect(await producer.position(address('stop-vm', 'o1'))).toBe(0);
    expect(await producer.inspect(address('stop-vm', 'o1'))).toEqual({ state: 'waiting', outcome: null });
    await work();
    await reported('o3');
    await vi.waitFor(async () =>
      expect(await producer.inspect(address('stop-vm', 'o3'))).toEqual({
        state: 'completed',
        outcome: { kind: 'succeeded', result: {} },
      }),
    );
    expect(await producer.position(address('stop-vm', 'o3'))).toBeNull();
    expect((await producer.inspect(address('stop-vm', 'unknown'))).state).toBe('absent');
  });

  it('with a payload that does not fit is refused where it is added', async () => {
    await expect(
      producer.add({ ...address('stop-vm', 'o1'), payload: { operationId: 'o1' } }),
    ).rejects.toThrow();
  });

  it('that cannot succeed is reported as failed, with its reason, after one try', async () => {
    let tries = 0;
    await work({
      stopVm: async () => {
        tries += 1;
        throw new OperationError('container-vanished', 'gone');
      },
    });
    await add('stop-vm', 'o1');
    expect((await reported('o1')).outcome).toEqual({
      kind: 'failed',
      reason: { code: 'container-vanished', detail: 'gone' },
    });
    expect(tries).toBe(1);
  });

  it('that may succeed later is tried again, and fails with its reason in the end', async () => {
    let tries = 0;
    await work({
      stopVm: async () => {
        tries += 1;
        if (tries < 3) throw new RetryableError('docker-unreachable');
        return {};
      },
      startVm: async () => {
        throw new RetryableError('ssh-not-ready');
      },
    });
    await add('stop-vm', 'o1');
    await add('start-vm', 'o2');
    expect((await reported('o1')).outcome.kind).toBe('succeeded');
    expect(tries).toBe(3);
    expect((await reported('o2')).outcome).toMatchObject({
      kind: 'failed',
      reason: { code: 'ssh-not-ready' },
    });
  });

  it('that fails unexpectedly leaves nothing of the error in Redis, only an id', async () => {
    await work({
      stopVm: async () => {
        throw new Error('canary-of-a-secret');
      },
    });
    await add('stop-vm', 'o1');
    const { outcome } = await reported('o1');
    expect(outcome).toMatchObject({ kind: 'failed', reason: { code: 'gave-up' } });
    expect(await dump()).not.toContain('canary-of-a-secret');
  });

  it('is found again by adding it anew when Redis lost everything', async () => {
    await add('stop-vm', 'o1');
    await redis.wipe();
    expect((await producer.inspect(address('stop-vm', 'o1'))).state).toBe('absent');
    await add('stop-vm', 'o1');
    await work();
    expect((await reported('o1')).outcome.kind).toBe('succeeded');
  });
});

describe('cancelling', () => {
  it('keeps a job that waits from ever beginning', async () => {
    let runs = 0;
    await add('stop-vm', 'o1');
    await producer.cancel('o1');
    await work({
      stopVm: async () => {
        runs += 1;
        return {};
      },
    });
    expect((await reported('o1')).outcome).toEqual({ kind: 'cancelled' });
    expect(runs).toBe(0);
  });

  it('aborts a job that runs, and no other', async () => {
    const began: string[] = [];
    await work({
      stopVm: ({ operationId }, { signal }) => {
        began.push(operationId);
        return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
      },
    });
    await add('stop-vm', 'o1');
    await add('stop-vm', 'o2');
    await vi.waitFor(() => expect(began.sort()).toEqual(['o1', 'o2']));
    await producer.cancel('o1');
    expect((await reported('o1')).outcome).toEqual({ kind: 'cancelled' });
    expect((await producer.inspect(address('stop-vm', 'o2'))).state).toBe('active');
    await producer.cancel('o2');
    await reported('o2');
  });
});

describe('the fence', () => {
  it('stops a job whose VM has a newer operation, without a word', async () => {
    let acted = 0;
    await producer.raiseFence('vm1', 3);
    await producer.raiseFence('vm1', 2);
    await work({
      stopVm: async (_payload, context) => {
        await context.checkFence();
        acted += 1;
        return {};
      },
    });
    await add('stop-vm', 'old', 2);
    await add('stop-vm', 'new', 3);
    expect((await reported('new')).outcome.kind).toBe('succeeded');
    await vi.waitFor(async () =>
      expect((await producer.inspect(address('stop-vm', 'old'))).state).toBe('completed'),
    );
    expect(acted).toBe(1);
    expect(reports.map(({ operationId }) => operationId)).toEqual(['new']);
  });
});

describe('a job that needs another one first', () => {
  it('leaves its slot meanwhile, and many share one build', async () => {
    let building = 0;
    let most = 0;
    let built = false;
    const finish = Promise.withResolvers<void>();
    await work({
      createVm: async (_payload, { runFirst }) => {
        if (!built) {
          const outcome = await runFirst(buildImage, { force: false, correlationId: 'c' });
          expect(outcome.kind).toBe('succeeded');
        }
        return { containerId: 'c', hostKeyFingerprint: 'k' };
      },
      buildImage: async () => {
        building += 1;
        most = Math.max(most, building);
        await finish.promise;
        building -= 1;
        built = true;
        return { imageId: 'i', built: true };
      },
    });
    // As many as there are slots: with their slots taken, the stop below could not run.
    for (const id of ['c1', 'c2', 'c3', 'c4']) await addCreate(id);
    await vi.waitFor(async () =>
      expect((await producer.inspect(address('create-vm', 'c4'))).state).toBe('waiting-children'),
    );
    await add('stop-vm', 'beside');
    expect((await reported('beside')).outcome.kind).toBe('succeeded');
    finish.resolve();
    for (const id of ['c1', 'c2', 'c3', 'c4']) expect((await reported(id)).outcome.kind).toBe('succeeded');
    expect(most).toBe(1);
  });

  it('hears why the other one failed', async () => {
    await work({
      createVm: async (_payload, { runFirst }) => {
        const outcome = await runFirst(buildImage, { force: false, correlationId: 'c' });
        if (outcome.kind === 'failed') throw new OperationError(outcome.reason.code, outcome.reason.detail);
        return { containerId: 'c', hostKeyFingerprint: 'k' };
      },
      buildImage: async () => {
        throw new OperationError('image-build-failed', 'Step 3');
      },
    });
    await addCreate('c1');
    expect((await reported('c1')).outcome).toEqual({
      kind: 'failed',
      reason: { code: 'image-build-failed', detail: 'Step 3' },
    });
  });
});

describe('a worker process', () => {
  const startStuckWorker = async () => {
    const child = spawn(process.execPath, [
      join(import.meta.dirname, 'testing/stuck-worker.ts'),
      redis.url,
      instance,
    ]);
    let output = '';
    child.stdout.on('data', (piece) => {
      output += piece;
    });
    const says = (word: string) => vi.waitFor(() => expect(output).toContain(word), { timeout: 10_000 });
    await says('ready');
    await add('stop-vm', 'o1');
    await says('took');
    return child;
  };

  it('that is killed loses its job to another one within 25 s', async () => {
    const child = await startStuckWorker();
    child.kill('SIGKILL');
    await once(child, 'exit');
    await work();
    const begun = performance.now();
    expect((await reported('o1', 25_000)).outcome.kind).toBe('succeeded');
    expect(performance.now() - begun).toBeLessThan(25_000);
  }, 40_000);

  it('that is told to end hands its job back at once, and that is no failed try', async () => {
    const child = await startStuckWorker();
    let wasLast: boolean | undefined;
    await work({
      stopVm: async (_payload, { lastAttempt }) => {
        wasLast = lastAttempt;
        return {};
      },
    });
    child.kill('SIGTERM');
    await once(child, 'exit');
    expect((await reported('o1', 5_000)).outcome.kind).toBe('succeeded');
    expect(wasLast).toBe(false);
  });
});

describe('progress', () => {
  it('tells a new step at once and more of the same about once a second, the newest in the end', async () => {
    const told: (Progress & { at: number })[] = [];
    const subscription = subscribeProgress({ redisUrl: redis.url, instance, linkSecret, log }, (step) =>
      told.push({ ...step, at: performance.now() }),
    );
    closing.push(subscription);
    await subscription.ready;
    await work({
      exec: async (_payload, { progress }) => {
        await progress('container');
        for (let line = 1; line <= 50; line += 1) await progress('running', { output: `${line}` });
        await vi.waitFor(() => expect(told.at(-1)?.output).toBe('50'), { timeout: 3_000 });
        return { exitCode: 0, durationMs: 1, outputBytes: 0, truncated: false, timedOut: false };
      },
    });
    await add('exec', 'o1');
    await reported('o1');
    expect(told.map(({ step, output }) => [step, output])).toEqual([
      ['container', undefined],
      ['running', '1'],
      ['running', '50'],
    ]);
    expect(told[2]!.at - told[1]!.at).toBeGreaterThan(500);
  });
});

describe('the progress of a build', () => {
  it('is its operation’s where somebody asked for it, and everybody’s where creations wait for it', async () => {
    const told: Progress[] = [];
    const subscription = subscribeProgress({ redisUrl: redis.url, instance, linkSecret, log }, (step) =>
      told.push(step),
    );
    closing.push(subscription);
    await subscription.ready;
    await work({
      createVm: async (_payload, { runFirst }) => {
        await runFirst(buildImage, { force: false, correlationId: 'c' });
        return { containerId: 'c', hostKeyFingerprint: 'k' };
      },
      buildImage: async (_payload, { progress }) => {
        await progress('building', { detail: 'Step 1' });
        return { imageId: 'i', built: true };
      },
    });
    await addCreate('c1');
    await reported('c1');
    const payload = { force: true, operationId: 'rebuild', correlationId: 'c' };
    await producer.add({ jobName: 'build-image', host: 'h1', jobId: 'rebuild', payload });
    expect((await reported('rebuild')).outcome).toEqual({
      kind: 'succeeded',
      result: { imageId: 'i', built: true },
    });
    await vi.waitFor(() => expect(told.map(({ operationId }) => operationId)).toEqual([null, 'rebuild']));
  });
});

describe('with Redis away', () => {
  it('a producer fails within moments, everything can be closed, and both go on when it is back', async () => {
    await work();
    await redis.kill9();
    const begun = performance.now();
    await expect(add('stop-vm', 'o1')).rejects.toThrow();
    expect(performance.now() - begun).toBeLessThan(6_000);
    await redis.restart();
    await vi.waitFor(() => add('stop-vm', 'o1'), { timeout: 10_000 });
    expect((await reported('o1', 25_000)).outcome.kind).toBe('succeeded');
    await redis.kill9();
    const closingBegan = performance.now();
    await Promise.all(closing.map((one) => one.close()));
    expect(performance.now() - closingBegan).toBeLessThan(12_000);
    closing = [];
    await redis.restart();
  }, 60_000);
});
