import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { catalog, gatewayHost, type Outcome, type Report } from '../queues/catalog.ts';
import { readGatewayStatus } from '../queues/gateway-status.ts';
import { createProducer } from '../queues/producer.ts';
import { consumeReports } from '../queues/reports.ts';
import { linkSecret } from '../queues/testing/link-secret.ts';
import { createLog } from '../shared/log.ts';
import { startCloudflareApi } from './support/cloudflare-api.ts';
import { type Control, installCloudflared, isAlive } from './support/cloudflared-install.ts';
import { findFreePort, startRedis, type TestRedis } from './support/redis.ts';
import { startProcess } from './support/service-process.ts';
import { readRedis } from './support/stored.ts';

/** The gateway as a process: wishes come as jobs, its status goes through Redis, and its child never outlives it. */

const instance = 'tunnel-process';
const log = createLog('test', 'silent');
const releases: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const release of releases.splice(0).reverse()) await release();
});

let redis: TestRedis;
let client: Redis;
beforeEach(async () => {
  redis = await startRedis();
  releases.push(redis.stop);
  client = new Redis(redis.url, { retryStrategy: () => 100 });
  client.on('error', () => undefined); // one test takes Redis away
  releases.push(() => client.disconnect());
});

const startGateway = async (control: Control = {}, variables: Record<string, string> = {}) => {
  const cloudflared = installCloudflared(control);
  releases.push(cloudflared.remove);
  const port = await findFreePort();
  const env = {
    REDIS_URL: redis.url,
    INSTANCE: instance,
    GATEWAY_PORT: String(port),
    CLOUDFLARED_BIN: cloudflared.program,
    LOG_LEVEL: 'debug',
    ...variables,
  };
  const gateway = startProcess('gateway', 'services/gateway/main.ts', env);
  releases.push(() => gateway.end('SIGKILL'));
  await gateway.waitForLine(({ msg }) => msg === 'ready', 20_000);
  return { cloudflared, gateway, port };
};
const statusOf = async () => (await readGatewayStatus(client, instance, Date.now()))[0]?.tunnel;
const until = (condition: () => unknown, timeout = 15_000) =>
  vi.waitFor(async () => expect(await condition()).toBeTruthy(), { timeout, interval: 50 });

/** As the bot does it: adds the job, and hears its outcome. */
const startWishing = async () => {
  const reports = new Map<string, Report>();
  const producer = createProducer({ redisUrl: redis.url, instance, linkSecret, log });
  releases.push(() => producer.close());
  const consumer = consumeReports({
    redisUrl: redis.url,
    instance,
    log,
    onReport: async (report) => void reports.set(report.operationId, report),
  });
  releases.push(() => consumer.close());
  await until(producer.isReady);
  const add = (operationId: string) => {
    const payload = { operationId, correlationId: operationId };
    return producer.add({
      jobName: catalog.openTunnel.name,
      host: gatewayHost,
      jobId: operationId,
      payload,
    });
  };
  const wish = async (operationId: string) => {
    await add(operationId);
    await until(() => reports.has(operationId), 60_000);
    return reports.get(operationId)!.outcome;
  };
  /** `add` alone waits for no answer. */
  return Object.assign(wish, { add });
};
const successful = async (outcome: Promise<Outcome>) => {
  const ended = await outcome;
  if (ended.kind !== 'succeeded') throw new Error(JSON.stringify(ended));
  return catalog.openTunnel.result.parse(ended.result);
};

describe('the gateway with its tunnel', () => {
  it('answers wishes that come as jobs, all with one tunnel, and says in Redis how it stands', async () => {
    const { cloudflared, port } = await startGateway();
    const wish = await startWishing();
    await until(async () => (await statusOf())?.program.version === '2025.8.1');
    expect(await statusOf()).toMatchObject({
      way: 'quick',
      origin: `http://127.0.0.1:${port}`,
      wanted: false,
      connected: false,
    });
    const results = await Promise.all(['one', 'two', 'three'].map((id) => successful(wish(id))));
    expect(new Set(results.map(({ origin }) => origin)).size).toBe(1);
    expect(cloudflared.starts()).toHaveLength(1);
    const { origin } = results[0]!;
    expect((await fetch(`${origin}/healthz`)).status).toBe(200);
    await until(async () => (await statusOf())?.connected);
    expect(await statusOf()).toMatchObject({ way: 'quick', origin, wanted: true, connected: true });
  }, 60_000);

  it('answers any number of wishes within a quarter of a minute while the connection is lost', async () => {
    const { cloudflared } = await startGateway();
    const wish = await startWishing();
    await successful(wish('first'));
    cloudflared.behave({ connected: false });
    await until(async () => (await statusOf())?.connected === false);
    const asked = performance.now();
    const results = await Promise.all(Array.from({ length: 40 }, (_, at) => successful(wish(`lost-${at}`))));
    expect(performance.now() - asked).toBeLessThan(15_000);
    for (const { way, note } of results) {
      expect(way).toBe('address');
      expect(note).toMatch(/^The connection to Cloudflare was lost/);
    }
  }, 60_000);

  it('takes the child with it when it is killed, and when it ends in order; then it is struck off in Redis', async () => {
    const first = await startGateway({}, { TUNNEL: 'quick' });
    await until(async () => (await statusOf())?.connected);
    const { pid } = first.cloudflared.starts()[0]!;
    await first.gateway.end('SIGKILL');
    await until(() => !isAlive(pid));

    const second = await startGateway({}, { TUNNEL: 'quick' });
    await until(() => second.cloudflared.alive().length === 1);
    expect(await second.gateway.end('SIGTERM')).toBe(0);
    expect(second.cloudflared.alive()).toEqual([]);
    const entries = await readGatewayStatus(client, instance, Date.now());
    expect(entries.map(({ pid }) => pid)).not.toContain(second.gateway.pid);
  }, 60_000);

  it('takes even a child with it that is deaf to SIGTERM', async () => {
    const { cloudflared, gateway } = await startGateway({ ignoresTerm: true }, { TUNNEL: 'quick' });
    await until(async () => (await statusOf())?.connected);
    expect(cloudflared.alive()).toHaveLength(1);
    await gateway.end('SIGKILL');
    await until(() => cloudflared.alive().length === 0);
  }, 60_000);

  it('removes what a gateway left behind that was killed while it handed over the token', async () => {
    const left = await mkdtemp(join(tmpdir(), `berth-tunnel-${instance}-4194305-`)); // no process has this id
    await startGateway();
    await until(() => !existsSync(left));
  }, 60_000);

  it('ends while somebody waits for the tunnel; the next gateway answers', async () => {
    const { gateway, cloudflared } = await startGateway({ mode: 'silent' });
    const wish = await startWishing();
    const answer = successful(wish('patient'));
    await until(() => cloudflared.alive().length === 1);
    expect(await gateway.end('SIGTERM')).toBe(0);
    expect(cloudflared.alive()).toEqual([]);
    await startGateway();
    expect((await answer).way).toBe('quick');
  }, 90_000);

  /** Redis gone altogether, or there and silent. */
  const outages = {
    killed: { begin: () => redis.kill9(), end: () => redis.restart() },
    deaf: {
      begin: () => process.kill(redis.pid(), 'SIGSTOP'),
      end: () => process.kill(redis.pid(), 'SIGCONT'),
    },
  };
  it.each(['killed', 'deaf'] as const)(
    'ends within two seconds while Redis is %s and somebody waits for the tunnel',
    async (how) => {
      const { gateway, cloudflared } = await startGateway({ mode: 'silent' });
      const { add } = await startWishing();
      await add('patient');
      await until(() => cloudflared.alive().length === 1);
      await outages[how].begin();
      releases.push(outages[how].end);
      if (how === 'killed') await gateway.waitForLine(({ msg }) => msg === 'Redis is away');
      const asked = performance.now();
      expect(await gateway.end('SIGTERM')).toBe(0);
      expect(performance.now() - asked).toBeLessThan(2_000);
      expect(cloudflared.alive()).toEqual([]);
    },
    60_000,
  );

  it('without cloudflared on the PATH gives its own address, with the reason', async () => {
    const { port } = await startGateway({}, { CLOUDFLARED_BIN: 'cloudflared-that-nobody-has' });
    const wish = await startWishing();
    const { origin, way, note } = await successful(wish('without'));
    expect({ origin, way }).toEqual({ origin: `http://127.0.0.1:${port}`, way: 'address' });
    expect(note).toMatch(/^cloudflared is not installed/);
    expect(await statusOf()).toMatchObject({ way: 'address', program: { version: null } });
  }, 60_000);

  it('fails the operation with a reason where the settings demand a tunnel', async () => {
    await startGateway({ mode: 'rate-limited' }, { TUNNEL: 'quick' });
    const wish = await startWishing();
    expect(await wish('demanded')).toEqual({
      kind: 'failed',
      reason: { code: 'tunnel-unavailable', detail: expect.stringMatching(/no more quick tunnels for now/) },
    });
  }, 60_000);

  it('lives on without Redis, keeps the tunnel, and tells when Redis is back', async () => {
    const { cloudflared } = await startGateway({}, { TUNNEL: 'quick' });
    await until(async () => (await statusOf())?.connected);
    await redis.kill9();
    process.kill(cloudflared.starts()[0]!.pid, 'SIGKILL');
    await until(() => cloudflared.alive().length === 1);
    await redis.restart();
    // A start is counted before its connection stands.
    await until(async () => {
      const status = await statusOf();
      return status?.restarts === 1 && status.connected;
    }, 30_000);
  }, 90_000);

  it('has no secret of a named tunnel in any process’s arguments, in the child’s environment, in logs or in Redis', async () => {
    const token = 'the-api-token-of-the-operator';
    const accountId = '0123456789abcdef0123456789abcdef';
    const api = await startCloudflareApi({ token, accountId, zones: ['example.org'] });
    releases.push(api.stop);
    const folder = await mkdtemp(join(tmpdir(), 'berth-token-'));
    releases.push(() => rm(folder, { recursive: true }));
    await writeFile(join(folder, 'token'), `${token}\n`, { mode: 0o600 });
    const edgePort = await findFreePort();
    const { cloudflared, gateway } = await startGateway(
      { edgePort, apiRoot: api.root },
      {
        CLOUDFLARE_TOKEN_FILE: join(folder, 'token'),
        CLOUDFLARE_ACCOUNT_ID: accountId,
        CLOUDFLARE_HOSTNAME: 'vms.example.org',
        CLOUDFLARE_API_ROOT: api.root,
        TUNNEL_PROBE_VIA: `http://127.0.0.1:${edgePort}`,
        LOG_LEVEL: 'trace',
      },
    );
    const wish = await startWishing();
    expect(await successful(wish('named'))).toEqual({
      origin: 'https://vms.example.org',
      way: 'named',
      note: 'By the tunnel vms.example.org.',
    });
    const secrets = [token, api.tokenOf(api.tunnels[0]!.id), 'tunnel-secret-of'];
    const processes = [gateway.pid, ...cloudflared.alive()];
    expect(processes).toHaveLength(2);
    const seen = processes.flatMap((pid) => [
      readFileSync(`/proc/${pid}/cmdline`, 'utf8'),
      readFileSync(`/proc/${pid}/environ`, 'utf8'),
    ]);
    seen.push(await readRedis(redis.url));
    seen.push(gateway.output());
    for (const secret of secrets) expect(seen.join('\n')).not.toContain(secret);
    const folders = readdirSync(tmpdir()).filter((name) => name.startsWith(`berth-tunnel-${instance}-`));
    expect(folders).toEqual([]);
  }, 60_000);

  it('lists what a named tunnel lacks, and does not start', async () => {
    const gateway = startProcess('gateway', 'services/gateway/main.ts', {
      TUNNEL: 'named',
      GATEWAY_PORT: '0',
      CLOUDFLARE_HOSTNAME: 'vms.example.org',
    });
    expect(await gateway.exited).toBe(1);
    for (const fault of [
      'GATEWAY_PORT: ',
      'CLOUDFLARE_TOKEN: is missing',
      'CLOUDFLARE_ACCOUNT_ID: is missing',
    ]) {
      expect(gateway.output()).toContain(fault);
    }
  });
});
