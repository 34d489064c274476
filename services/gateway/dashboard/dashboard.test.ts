import { Queue } from 'bullmq';
import fastify, { type FastifyInstance, type InjectOptions } from 'fastify';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { connectRedis } from '../../../queues/connection.ts';
import { createProducer } from '../../../queues/producer.ts';
import { answerRollCall, leaveRollCall } from '../../../queues/roll-call.ts';
import { linkSecret } from '../../../queues/testing/link-secret.ts';
import { createPayload } from '../../../queues/testing/processors.ts';
import { type Grant, issueTicket, newSecret, revoke } from '../../../queues/tickets.ts';
import { createLog } from '../../../shared/log.ts';
import { startRedis, type TestRedis } from '../../../tests/support/redis.ts';
import { createQueueSet } from '../queue-set.ts';
import { registerDashboard } from './routes.ts';

const log = createLog('test', 'silent');
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
  instance = `d${Math.random().toString(36).slice(2, 8)}`;
});

const open = (write = false, publicOrigin = 'http://127.0.0.1:8080'): FastifyInstance => {
  const app = fastify({ trustProxy: 'loopback', routerOptions: { maxParamLength: 500 } });
  onTestFinished(() => app.close());
  const queues = createQueueSet({ redis, instance, log });
  registerDashboard(app, { redis, instance, queues, write, publicOrigin: () => publicOrigin, log });
  return app;
};
const dashboardGrant = (): Grant => ({
  kind: 'dashboard',
  userId: 7,
  grantedAt: new Date().toISOString(),
});
const newTicket = async (grant = dashboardGrant()): Promise<string> => {
  const ticket = newSecret();
  await issueTicket(redis, instance, ticket, grant);
  return ticket;
};
const host = 'berth.example';
const press = (app: FastifyInstance, ticket: string, headers: Record<string, string> = {}) =>
  app.inject({
    method: 'POST',
    url: `/d/${ticket}`,
    headers: {
      host,
      origin: `https://${host}`,
      'content-type': 'application/x-www-form-urlencoded',
      'x-forwarded-proto': 'https',
      ...headers,
    },
    payload: '',
  });
const enter = async (app: FastifyInstance) => {
  const answer = await press(app, await newTicket());
  const cookie = String(answer.headers['set-cookie']).split(';')[0]!;
  return (options: InjectOptions) =>
    app.inject({ ...options, headers: { host, cookie, origin: `https://${host}`, ...options.headers } });
};
const present = (id: string, name: string) =>
  answerRollCall(redis, instance, {
    workerId: id,
    host: name,
    pid: 1,
    startedAt: new Date().toISOString(),
    at: new Date().toISOString(),
    facts: null,
  });
const queueNames = (body: string): string[] =>
  (JSON.parse(body) as { queues: { name: string }[] }).queues.map(({ name }) => name).sort();

describe('the way into the dashboard', () => {
  it('spends its ticket at the press of the button, not by being looked at', async () => {
    const app = open();
    const ticket = await newTicket();
    for (const method of ['GET', 'HEAD', 'GET'] as const) {
      const page = await app.inject({ method, url: `/d/${ticket}` });
      expect(page.statusCode).toBe(200);
      expect(page.headers['set-cookie']).toBeUndefined();
      expect(page.headers['content-security-policy']).not.toContain('unsafe');
    }
    const pressed = await press(app, ticket);
    expect([pressed.statusCode, pressed.headers.location]).toEqual([303, '/queues']);
    const cookie = String(pressed.headers['set-cookie']);
    for (const part of ['HttpOnly', 'SameSite=Strict', 'Secure', 'Path=/queues', 'Max-Age=3600'])
      expect(cookie).toContain(part);
    expect((await press(app, ticket)).statusCode).toBe(410);
    expect((await app.inject({ url: `/d/${ticket}` })).body).toContain('This link was used');
  });

  it('lets one of two presses in at the same time', async () => {
    const app = open();
    const ticket = await newTicket();
    const statuses = await Promise.all([press(app, ticket), press(app, ticket), press(app, ticket)]);
    expect(statuses.map(({ statusCode }) => statusCode).sort()).toEqual([303, 410, 410]);
  });

  it('is closed to other sites, to tickets of terminals, and to what is no ticket', async () => {
    const app = open();
    const ticket = await newTicket();
    for (const origin of ['https://evil.example', 'null', `https://${host}.evil.example`])
      expect((await press(app, ticket, { origin })).statusCode).toBe(403);
    const terminal = await newTicket({
      ...dashboardGrant(),
      kind: 'terminal',
      vmId: 'v',
      vmName: 'v',
      host: 'h',
    } as Grant);
    expect((await press(app, terminal)).statusCode).toBe(404);
    expect(await redis.keys(`${instance}:ticket:*`)).toHaveLength(2);
    for (const text of ['x', '..%2f', 'a'.repeat(400), newSecret()])
      expect((await press(app, text)).statusCode).toBe(404);
  });

  it('is closed to somebody who was removed, and says so', async () => {
    const app = open();
    const ticket = await newTicket();
    const at = new Date().toISOString();
    await revoke(redis, instance, { vmId: null, userId: 7, reason: 'user-removed', at });
    for (const answer of [await app.inject({ url: `/d/${ticket}` }), await press(app, ticket)])
      expect([answer.statusCode, answer.body]).toEqual([404, expect.stringContaining('not on the list')]);
  });

  it('is tried thirty times a minute from one address, and by others meanwhile', async () => {
    const app = open();
    const tries = (address: string) =>
      app.inject({ url: `/d/${newSecret()}`, headers: { 'x-forwarded-for': `198.51.100.1, ${address}` } });
    const statuses: number[] = [];
    for (let i = 0; i < 32; i += 1) statuses.push((await tries('203.0.113.1')).statusCode);
    expect(statuses).toEqual([...Array(30).fill(404), 429, 429]);
    expect((await tries('203.0.113.2')).statusCode).toBe(404);
  });

  it('gives a cookie without Secure where there is no https', async () => {
    const pressed = await press(open(), await newTicket(), {
      'x-forwarded-proto': 'http',
      origin: `http://${host}`,
    });
    expect(String(pressed.headers['set-cookie'])).not.toContain('Secure');
  });

  it('gives one with Secure at the public address that is https, also where the proxy is not believed', async () => {
    const app = open(false, `https://${host}`);
    const proto = { 'x-forwarded-proto': 'http' };
    const pressed = await press(app, await newTicket(), proto);
    expect(String(pressed.headers['set-cookie'])).toContain('Secure');
    const inTheClear = await press(app, await newTicket(), { ...proto, origin: `http://${host}` });
    expect(inTheClear.statusCode).toBe(403);
  });
});

describe('below /queues', () => {
  const everywhere = [
    '/queues',
    '/queues/',
    '/queues/queue/reports',
    '/queues/api/queues',
    '/queues/api/redis/stats',
    '/queues/static/images/logo.svg',
    '/queues/nothing/here',
  ];

  it('everything is closed without a session, and says how to get one', async () => {
    const app = open();
    for (const url of everywhere) {
      const answer = await app.inject({ url, headers: { host, cookie: `berth_dashboard=${newSecret()}` } });
      expect([url, answer.statusCode]).toEqual([url, 403]);
      expect(answer.body).toContain('/dashboard');
      expect(answer.body).not.toMatch(/<input|password/i);
    }
  });

  it('everything is open with one, until the person is removed', async () => {
    const app = open();
    const ask = await enter(app);
    for (const url of everywhere.slice(0, -1))
      expect([url, (await ask({ url })).statusCode]).toEqual([url, 200]);
    expect((await ask({ url: '/queues/nothing/here' })).statusCode).toBe(404);
    await revoke(redis, instance, {
      vmId: null,
      userId: 7,
      reason: 'user-removed',
      at: new Date().toISOString(),
    });
    for (const url of everywhere) expect((await ask({ url })).statusCode).toBe(403);
  });

  it('the queues of every host are found, of one that comes later and of one that has gone', async () => {
    await present('w1', 'local');
    const ask = await enter(open());
    const names = async () => queueNames((await ask({ url: '/queues/api/queues' })).body);
    expect(await names()).toEqual(
      [
        'disk.local',
        'exec.local',
        'image.local',
        'lifecycle.local',
        'query.local',
        'reports',
        'tunnel.gateway',
      ].sort(),
    );
    await present('w2', 'big');
    await leaveRollCall(redis, instance, 'w1');
    expect(await names()).toEqual(expect.arrayContaining(['lifecycle.big', 'lifecycle.local']));
  });

  it('the page runs no script of its own text and asks nobody else for anything', async () => {
    const page = await (await enter(open()))({ url: '/queues' });
    const policy = String(page.headers['content-security-policy']);
    expect(policy).toContain("script-src 'self';");
    expect(page.body).not.toMatch(/https?:\/\//);
    expect(page.body).not.toMatch(/<script(?![^>]*(?:src=|type="application\/json"))/);
    expect(page.headers['cache-control']).toBe('no-store');
  });

  it('nothing secret is shown, wherever a job holds it', async () => {
    const canary = '$6$canarysalt$Canary0Hash1Canary2Hash3Canary4';
    await present('w1', 'local');
    const producer = createProducer({ redisUrl: server.url, instance, linkSecret, log });
    onTestFinished(() => producer.close());
    await vi.waitFor(() => expect(producer.isReady()).toBe(true));
    const payload = createPayload('op1');
    await producer.add({ jobName: 'create-vm', host: 'local', jobId: 'op1.1', payload });
    const queue = new Queue('lifecycle.local', { connection: redis, prefix: instance });
    const job = (await queue.getJob('op1.1'))!;
    await job.log(`once said ${canary}`);
    await job.updateProgress({ text: canary, token: 'canary-token' });
    const key = queue.toKey('op1.1');
    await redis.hset(key, {
      data: JSON.stringify({ ...payload, access: { ...payload.access, passwordHash: canary } }),
      failedReason: `it was ${canary}`,
      stacktrace: JSON.stringify([`Error: ${canary}\n at x`]),
      returnvalue: JSON.stringify({ note: canary, deep: [{ secretKey: 'canary-secret' }] }),
    });
    const ask = await enter(open());
    const urls = [
      '/queues/api/queues?activeQueue=lifecycle.local&status=latest&page=1&jobsPerPage=10',
      '/queues/api/queues?activeQueue=lifecycle.local&status=waiting&page=1&jobsPerPage=10',
      '/queues/api/queues/lifecycle.local/op1.1',
      '/queues/api/queues/lifecycle.local/op1.1/logs',
      '/queues/api/queues/lifecycle.local/op1.1/flow',
      '/queues/api/job-schedulers',
    ];
    for (const url of urls) {
      const answer = await ask({ url });
      expect([url, answer.statusCode]).toEqual([url, 200]);
      expect([url, answer.body]).toEqual([url, expect.not.stringMatching(/canary/i)]);
    }
    const { body } = await ask({ url: urls[2]! });
    expect(JSON.parse(body)).toMatchObject({ job: { data: { vmId: payload.vmId, access: '‹hidden›' } } });
  });

  it('nothing can be changed unless the settings allow it', async () => {
    await present('w1', 'local');
    const ask = await enter(open());
    for (const method of ['PUT', 'POST', 'PATCH', 'DELETE'] as const) {
      const answer = await ask({ method, url: '/queues/api/queues/lifecycle.local/pause' });
      expect([method, answer.statusCode]).toEqual([method, 405]);
    }
    expect(await new Queue('lifecycle.local', { connection: redis, prefix: instance }).isPaused()).toBe(
      false,
    );
  });

  it('where they allow it, jobs can be paused and tried again but not rewritten, and not from other sites', async () => {
    await present('w1', 'local');
    const ask = await enter(open(true));
    const url = '/queues/api/queues/lifecycle.local/pause';
    expect((await ask({ method: 'PUT', url, headers: { origin: 'https://evil.example' } })).statusCode).toBe(
      403,
    );
    expect((await ask({ method: 'PUT', url })).statusCode).toBe(200);
    const queue = new Queue('lifecycle.local', { connection: redis, prefix: instance });
    expect(await queue.isPaused()).toBe(true);
    await queue.add('stop-vm', { a: 1 }, { jobId: 'j1' });
    const rewrite = await ask({
      method: 'PATCH',
      url: '/queues/api/queues/lifecycle.local/j1/update-data',
      payload: { jobData: { a: 2 } },
    });
    expect(rewrite.statusCode).toBe(405);
    const added = await ask({
      method: 'POST',
      url: '/queues/api/queues/lifecycle.local/add',
      payload: { name: 'exec', data: {}, options: {} },
    });
    expect(added.statusCode).toBe(405);
    expect((await queue.getJob('j1'))?.data).toEqual({ a: 1 });
  });

  it('says so while Redis is away, and works again when it is back', async () => {
    const own = await startRedis();
    onTestFinished(() => own.stop());
    const away = connectRedis(own.url, 'producer', log);
    onTestFinished(() => away.disconnect());
    await vi.waitFor(() => expect(away.status).toBe('ready'));
    const app = fastify();
    onTestFinished(() => app.close());
    const queues = createQueueSet({ redis: away, instance, log });
    registerDashboard(app, {
      redis: away,
      instance,
      queues,
      write: false,
      publicOrigin: () => 'http://127.0.0.1:8080',
      log,
    });
    const ticket = newSecret();
    await issueTicket(away, instance, ticket, dashboardGrant());
    const pressed = await press(app, ticket);
    const cookie = String(pressed.headers['set-cookie']).split(';')[0]!;
    await own.kill9();
    await vi.waitFor(() => expect(away.status).not.toBe('ready'));
    const lost = await app.inject({ url: '/queues', headers: { cookie } });
    expect([lost.statusCode, lost.body]).toEqual([503, expect.stringContaining('cannot be reached')]);
    await own.restart();
    const closed = await vi.waitFor(
      async () => {
        const answer = await app.inject({ url: '/queues', headers: { cookie } });
        expect(answer.statusCode).not.toBe(503);
        return answer;
      },
      { timeout: 10_000 },
    );
    expect(closed.statusCode).toBe(403); // sessions are lost with Redis
  });
});
