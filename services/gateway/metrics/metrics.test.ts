import { request } from 'node:http';
import fastify from 'fastify';
import type { Redis } from 'ioredis';
import { Counter, Gauge, Histogram } from 'prom-client';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { connectRedis } from '../../../queues/connection.ts';
import { readFigures, startFiguresWriter, takeFigures, writeFigures } from '../../../queues/metrics.ts';
import { createProducer } from '../../../queues/producer.ts';
import { answerRollCall } from '../../../queues/roll-call.ts';
import { linkSecret } from '../../../queues/testing/link-secret.ts';
import { createPayload } from '../../../queues/testing/processors.ts';
import { noteTerminal } from '../../../queues/tickets.ts';
import { createLog } from '../../../shared/log.ts';
import { createProcessMetrics } from '../../../shared/metrics/process-metrics.ts';
import { startRedis, type TestRedis } from '../../../tests/support/redis.ts';
import { startProcess } from '../../../tests/support/service-process.ts';
import { createQueueSet } from '../queue-set.ts';
import { createGatewayMetrics, type TunnelGlance } from './gateway-metrics.ts';
import { mergeFigures } from './merge.ts';
import { registerMetrics } from './routes.ts';
import { parseFigures } from './testing/parse.ts';

const log = createLog('test', 'silent');
const token = 'a-token-of-this-test';
let server: TestRedis;
let redis: Redis;
let instance: string;

beforeAll(async () => {
  server = await startRedis();
  redis = connectRedis(server.url, 'producer', log);
  await vi.waitFor(() => expect(redis.status).toBe('ready'));
});
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});
beforeEach(() => {
  instance = `m${Math.random().toString(36).slice(2, 8)}`;
});

const now = () => new Date().toISOString();
const listen = async (tunnel: TunnelGlance = { wanted: true, connected: true }, ownToken?: string) => {
  const app = fastify({ trustProxy: 'loopback', forceCloseConnections: true });
  onTestFinished(() => app.close());
  const queues = createQueueSet({ redis, instance, log });
  const registry = createGatewayMetrics({ redis, instance, queues, tunnel: () => tunnel, log });
  registerMetrics(app, { redis, instance, registry, token: ownToken, log });
  const address = await app.listen({ port: 0, host: '127.0.0.1' });
  /** By hand: fetch lets nobody set Host. */
  const get = (headers: Record<string, string> = {}) =>
    new Promise<{ status: number; text: string }>((resolve, reject) => {
      const asking = request(`${address}/metrics`, { headers }, async (answer) => {
        let text = '';
        for await (const chunk of answer) text += chunk;
        resolve({ status: answer.statusCode!, text });
      });
      asking.on('error', reject).end();
    });
  return { get, look: async () => parseFigures((await get()).text) };
};

describe('the figures', () => {
  it('are for programs on this machine; what comes through a tunnel or by another name needs the token', async () => {
    const { get } = await listen(undefined, token);
    const bearer = { authorization: `Bearer ${token}` };
    expect((await get()).status).toBe(200);
    const foreign: Record<string, string>[] = [
      { 'cf-connecting-ip': '203.0.113.7' },
      { 'x-forwarded-for': '127.0.0.1' },
      { 'x-forwarded-proto': 'https' },
      { forwarded: 'for=127.0.0.1' },
      { via: '1.1 somebody' },
      { 'cdn-loop': 'cloudflare' },
      { host: 'quick.trycloudflare.com' },
    ];
    for (const headers of foreign) {
      expect([headers, (await get(headers)).status]).toEqual([headers, 403]);
      expect((await get({ ...headers, authorization: 'Bearer a-token-of-this-tesT' })).status).toBe(403);
      expect((await get({ ...headers, ...bearer })).status).toBe(200);
    }
  });

  it('need more than an empty token where none is set', async () => {
    const { get } = await listen();
    const through = { 'cf-ray': '1' };
    for (const authorization of ['Bearer', 'Bearer ', 'Bearer undefined'])
      expect((await get({ ...through, authorization })).status).toBe(403);
  });

  it('tell depth and oldest wait of every queue, open terminals, and whether the tunnel is up', async () => {
    await answerRollCall(redis, instance, {
      workerId: 'w',
      host: 'local',
      pid: 1,
      startedAt: now(),
      at: now(),
      facts: null,
    });
    const producer = createProducer({ redisUrl: server.url, instance, linkSecret, log });
    onTestFinished(() => producer.close());
    await vi.waitFor(() => expect(producer.isReady()).toBe(true));
    for (const id of ['a', 'b'])
      await producer.add({
        jobName: 'create-vm',
        host: 'local',
        jobId: `${id}.1`,
        payload: createPayload(id),
      });
    await noteTerminal(redis, instance, 't', { vmId: 'v', userId: 1, since: now(), at: now() });
    const { look } = await listen();
    const figures = await look();
    const lifecycle = { queue: 'lifecycle', host: 'local' };
    expect(figures.values('berth_queue_jobs', { ...lifecycle, state: 'waiting' })).toEqual([2]);
    expect(figures.values('berth_queue_oldest_wait_seconds', lifecycle)[0]).toBeGreaterThan(0);
    expect(figures.values('berth_queue_oldest_wait_seconds', { queue: 'reports' })).toEqual([0]);
    expect(figures.values('berth_terminals_open')).toEqual([1]);
    expect(figures.values('berth_tunnel_up')).toEqual([1]);
    expect(
      (await (await listen({ wanted: true, connected: false })).look()).values('berth_tunnel_up'),
    ).toEqual([0]);
    expect(JSON.stringify(figures.series.map(({ labels }) => labels))).not.toMatch(/vm1|box|"v"/);
  });

  it('of several processes stay apart, and histograms stay whole', async () => {
    const ofOne = async (run: string, count: number) => {
      const registry = createProcessMetrics();
      const registers = [registry];
      new Counter({ name: 'things_total', help: 'Things.', labelNames: ['kind'], registers }).inc(
        { kind: 'a "quoted"\nthing\\' },
        count,
      );
      const times = new Histogram({ name: 'time_seconds', help: 'Time.', buckets: [1, 5], registers });
      for (let i = 0; i < count; i += 1) times.observe(i);
      return takeFigures(registry, { run, process: 'worker', host: 'local' });
    };
    const figures = parseFigures(await mergeFigures([await ofOne('r1', 3), await ofOne('r2', 7)]));
    expect(figures.values('things_total', { run: 'r1' })).toEqual([3]);
    expect(figures.values('things_total', { run: 'r2', process: 'worker', host: 'local' })).toEqual([7]);
    expect(figures.values('time_seconds_bucket', { run: 'r2' })).toEqual([2, 6, 7]);
    expect(figures.values('time_seconds_count', { run: 'r2' })).toEqual([7]);
    expect(figures.types.get('time_seconds')).toBe('histogram');
    expect(figures.values('process_resident_memory_bytes')).toHaveLength(2);
  });

  it('of a process that fell silent are gone, and rubbish among them harms nobody', async () => {
    const registry = createProcessMetrics();
    const name = { process: 'bot', host: null } as const;
    await writeFigures(redis, instance, await takeFigures(registry, { ...name, run: 'present' }));
    const late = {
      ...(await takeFigures(registry, { ...name, run: 'late' })),
      at: '2026-01-01T00:00:00.000Z',
    };
    await writeFigures(redis, instance, late);
    const spoilt = {
      ...late,
      at: now(),
      run: 'x',
      metrics: [{ name: 'a b\n', help: '', type: 'gauge', values: [] }],
    };
    await redis.hset(`${instance}:metrics`, { rubbish: '{', spoilt: JSON.stringify(spoilt) });
    const { look } = await listen();
    const runs = new Set((await look()).series.map(({ labels }) => labels.run));
    expect([...runs]).toEqual(expect.arrayContaining(['present']));
    expect(runs.size).toBe(2);
    expect(await redis.hkeys(`${instance}:metrics`)).toEqual(['present']);
  });

  it('of two versions that disagree on a type do not spoil the rest', async () => {
    const older = createProcessMetrics();
    new Gauge({ name: 'berth_disputed', help: 'x', registers: [older] }).set(1);
    const newer = createProcessMetrics();
    new Counter({ name: 'berth_disputed', help: 'x', registers: [newer] }).inc(2);
    const figures = parseFigures(
      await mergeFigures([
        await takeFigures(older, { run: 'r1', process: 'worker', host: 'a' }),
        await takeFigures(newer, { run: 'r2', process: 'worker', host: 'b' }),
      ]),
    );
    expect(figures.values('berth_disputed')).toEqual([1]);
  });

  it('are written while a process lives, and taken away when it ends', async () => {
    const registry = createProcessMetrics();
    const writer = startFiguresWriter({ redis, instance, process: 'bot', registry, log, every: 20 });
    const { look } = await listen();
    await vi.waitFor(async () =>
      expect((await look()).values('process_cpu_seconds_total', { process: 'bot' })).toHaveLength(1),
    );
    await writer.close();
    expect((await look()).values('process_cpu_seconds_total', { process: 'bot' })).toEqual([]);
  });

  it('are there without Redis too, which is what they tell', async () => {
    const own = await startRedis();
    const away = connectRedis(own.url, 'producer', log);
    onTestFinished(() => away.disconnect());
    await vi.waitFor(() => expect(away.status).toBe('ready'));
    await own.stop();
    await vi.waitFor(() => expect(away.status).not.toBe('ready'));
    const queues = createQueueSet({ redis: away, instance, log });
    const tunnel = () => ({ wanted: false, connected: false });
    const registry = createGatewayMetrics({ redis: away, instance, queues, tunnel, log });
    const figures = parseFigures(await registry.metrics());
    expect(figures.values('berth_redis_up')).toEqual([0]);
    expect(figures.values('berth_queue_jobs')).toEqual([]);
  });
});

describe('real workers', () => {
  it('tell their figures, and one that was killed and started again begins a new series', async () => {
    const env = {
      REDIS_URL: server.url,
      INSTANCE: instance,
      HOST_ID: 'h1',
      DOCKER_HOST: 'unix:///nowhere/docker.sock',
      LOG_LEVEL: 'info',
    };
    const start = () => startProcess('worker', 'services/worker/main.ts', env);
    const { look } = await listen();
    const runs = async () => {
      const { series } = await look();
      const ofWorkers = series.filter(
        ({ name, labels }) => name === 'process_start_time_seconds' && labels.host === 'h1',
      );
      return ofWorkers.map(({ labels }) => labels.run);
    };
    const first = start();
    onTestFinished(async () => void (await first.end('SIGKILL')));
    await vi.waitFor(async () => expect(await runs()).toHaveLength(1), { timeout: 20_000 });
    await first.end('SIGKILL');
    const second = start();
    await vi.waitFor(async () => expect(await runs()).toHaveLength(2), { timeout: 20_000 });
    await second.end();
    expect(await runs()).toHaveLength(1);
    // The killed one is struck off once it has been silent for 35 s.
    expect(await readFigures(redis, instance, Date.now() + 36_000)).toEqual([]);
  });
});
