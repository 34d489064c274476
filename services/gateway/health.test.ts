import fastify from 'fastify';
import type { Redis } from 'ioredis';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { connectRedis } from '../../queues/connection.ts';
import { answerRollCall } from '../../queues/roll-call.ts';
import { createLog } from '../../shared/log.ts';
import { startRedis, type TestRedis } from '../../tests/support/redis.ts';
import { registerHealth } from './health.ts';

const log = createLog('test', 'silent');
const instance = 'health';
let server: TestRedis;
let redis: Redis;
const tunnel = { wanted: false, connected: false };

beforeEach(async () => {
  Object.assign(tunnel, { wanted: false, connected: false });
  server = await startRedis();
  redis = connectRedis(server.url, 'producer', log);
  await vi.waitFor(() => expect(redis.status).toBe('ready'));
});
afterEach(async () => {
  redis.disconnect();
  await server.stop();
});

const ask = async (url: string) => {
  const app = fastify();
  registerHealth(app, { redis, instance, tunnel: () => tunnel });
  const answer = await app.inject({ url });
  await app.close();
  return { status: answer.statusCode, body: answer.json() };
};
const workerAnswers = () => {
  const at = new Date().toISOString();
  return answerRollCall(redis, instance, {
    workerId: 'w',
    host: 'h',
    pid: 1,
    startedAt: at,
    at,
    facts: null,
  });
};

it('people can use it once a worker answers the roll call', async () => {
  expect(await ask('/readyz')).toMatchObject({
    status: 503,
    body: {
      ready: false,
      checks: { redis: { ok: true }, workers: { ok: false, problem: 'no worker answers' } },
    },
  });
  await workerAnswers();
  expect(await ask('/readyz')).toEqual({
    status: 200,
    body: {
      ready: true,
      checks: {
        redis: { ok: true },
        workers: { ok: true, count: 1 },
        tunnel: { ok: true, wanted: false, connected: false },
      },
    },
  });
});

it('a tunnel that is wanted and not there keeps people out', async () => {
  await workerAnswers();
  tunnel.wanted = true;
  expect(await ask('/readyz')).toMatchObject({ status: 503, body: { checks: { tunnel: { ok: false } } } });
  tunnel.connected = true;
  expect((await ask('/readyz')).status).toBe(200);
});

it('without Redis the process lives and nobody can use it, and it is well again when Redis is back', async () => {
  await server.kill9();
  await vi.waitFor(() => expect(redis.status).not.toBe('ready'));
  expect(await ask('/healthz')).toEqual({ status: 200, body: { status: 'ok' } });
  expect(await ask('/readyz')).toMatchObject({
    status: 503,
    body: { ready: false, checks: { redis: { ok: false, problem: 'Redis is away' } } },
  });
  await server.restart();
  await vi.waitFor(() => expect(redis.status).toBe('ready'), { timeout: 5_000 });
  await workerAnswers();
  expect((await ask('/readyz')).status).toBe(200);
});
