import { Redis } from 'ioredis';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { HostFacts } from '../../queues/host-facts.ts';
import { readRollCall } from '../../queues/roll-call.ts';
import { createFactsGatherer } from './host-facts.ts';
import { createRollCall } from './roll-call.ts';
import { startTestRedis } from './testing/redis.ts';
import { testEnv, testHost } from './testing/vm-host.ts';

const host = testHost();
const { instance } = host;
const facts = createFactsGatherer(host, { dockerHost: testEnv.DOCKER_HOST, knownGpu: () => null });
let server: Awaited<ReturnType<typeof startTestRedis>>;
let redis: Redis;

beforeAll(async () => {
  server = await startTestRedis();
  redis = new Redis(server.url, { enableOfflineQueue: false });
  await new Promise((resolve) => redis.once('ready', resolve));
});
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

const self = (workerId: string) => ({
  workerId,
  host: 'h1',
  pid: 1,
  startedAt: '2026-01-01T00:00:00.000Z',
});
const join = (workerId: string, gather: (signal: AbortSignal) => Promise<HostFacts>, every = 60_000) => {
  const logs: string[] = [];
  const log = pino({ level: 'warn' }, { write: (line: string) => logs.push(line) });
  return { logs, ...createRollCall({ redis, instance, self: self(workerId), gather, log, every }) };
};
const present = () => readRollCall(redis, instance, Date.now());

describe('a worker in the roll call', () => {
  it('answers with its host’s facts, anew when something changed, and leaves in order', async () => {
    const worker = join('w1', facts);
    worker.begin();
    await vi.waitFor(async () => expect(await present()).toHaveLength(1), 5_000);
    const [first] = await present();
    expect(first).toMatchObject({ ...self('w1'), facts: { vmRuntime: 'runc' } });
    worker.now();
    await vi.waitFor(async () => expect((await present())[0]?.at).not.toBe(first?.at), 5_000);
    await worker.close();
    expect(await present()).toEqual([]);
  });

  it('answers every few seconds, without facts while Docker is away, and logs that once', async () => {
    let away = true;
    let asked = 0;
    const gather = vi.fn((signal: AbortSignal) => {
      asked += 1;
      return away ? Promise.reject(new Error('Docker is away')) : facts(signal);
    });
    const worker = join('w2', gather, 5);
    worker.begin();
    await vi.waitFor(() => expect(asked).toBeGreaterThan(3), 5_000);
    expect(await present()).toMatchObject([{ workerId: 'w2', facts: null }]);
    away = false;
    await vi.waitFor(async () => expect((await present())[0]?.facts).not.toBeNull(), 5_000);
    expect(worker.logs).toHaveLength(1);
    await worker.close();
  });

  it('loses no change that comes while it answers', async () => {
    const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    let asked = 0;
    const worker = join('w3', async (signal) => {
      await gates[asked++]?.promise;
      return facts(signal);
    });
    worker.begin();
    worker.now();
    gates[0]?.resolve();
    await vi.waitFor(() => expect(asked).toBe(2), 5_000);
    gates[1]?.resolve();
    await worker.close();
  });

  it('leaves at once though Docker hangs', async () => {
    const worker = join('w4', (signal) =>
      host.engine.call('hanging', () => new Promise(() => {}), { signal }),
    );
    worker.begin();
    const begun = performance.now();
    await worker.close();
    expect(performance.now() - begun).toBeLessThan(1_000);
  });
});
