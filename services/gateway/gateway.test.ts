import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { execaNode } from 'execa';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { linkSecret } from '../../queues/testing/link-secret.ts';
import { createLog } from '../../shared/log.ts';
import { createGatewayApp } from './app.ts';
import { parseGatewayEnv } from './env.ts';

const main = fileURLToPath(new URL('main.ts', import.meta.url));
const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
};

const releases: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const release of releases.splice(0)) await release();
});

/** There is no Redis at that address: what is asked here does without. */
const newApp = (variables: Record<string, string> = {}) => {
  const redis = new Redis({ lazyConnect: true });
  releases.push(async () => redis.disconnect());
  return createGatewayApp({
    redis,
    instance: 'test',
    log: createLog('test', 'silent'),
    env: parseGatewayEnv({ LINK_SECRET: linkSecret, ...variables }),
    tunnel: () => ({ wanted: false, connected: false }),
    publicOrigin: () => 'http://127.0.0.1:8080',
  });
};

describe('the gateway', () => {
  it('says that it is well', async () => {
    const app = newApp();
    releases.push(() => app.close());
    const url = await app.listen({ port: 0, host: '127.0.0.1' });
    const answer = await fetch(`${url}/healthz`);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
    expect(await answer.json()).toEqual({ status: 'ok' });
  });

  it('tells programs how it is, and its figures with the token, whatever name they reach it by', async () => {
    const app = newApp({ METRICS_TOKEN: 'a-token-of-the-test' });
    releases.push(() => app.close());
    const ask = async (url: string, headers = {}) =>
      (await app.inject({ url, headers: { host: 'gateway:8080', ...headers } })).statusCode;
    expect(await ask('/healthz')).toBe(200);
    expect(await ask('/readyz')).toBe(503); // there is no Redis
    expect(await ask('/metrics', { authorization: 'Bearer a-token-of-the-test' })).toBe(200);
    expect(await ask('/metrics')).toBe(421);
    expect(await ask('/queues')).toBe(421);
  });

  it('closes while a client keeps its connection open', async () => {
    const app = newApp();
    await app.listen({ port: 0, host: '127.0.0.1' });
    const { port } = app.server.address() as { port: number };
    const socket = connect(port, '127.0.0.1');
    releases.push(async () => socket.destroy());
    await once(socket, 'connect');
    socket.write('GET /healthz HTTP/1.1\r\nhost: gateway\r\n\r\n');
    await once(socket, 'data');
    const closed = once(socket, 'close');
    await app.close();
    await closed;
  });

  it('believes the proxies of the settings, by default those of this machine, and no others', async () => {
    const seen = async (peer: string, trusted?: string) => {
      const app = newApp(trusted === undefined ? {} : { TRUSTED_PROXIES: trusted });
      releases.push(() => app.close());
      app.get('/seen', async ({ protocol, ip }) => `${protocol} ${ip}`);
      const headers = { host: '127.0.0.1', 'x-forwarded-proto': 'https', 'x-forwarded-for': '203.0.113.9' };
      return (await app.inject({ url: '/seen', remoteAddress: peer, headers })).body;
    };
    const believed = 'https 203.0.113.9';
    expect(await seen('127.0.0.1')).toBe(believed);
    expect(await seen('172.18.0.5')).toBe('http 172.18.0.5');
    expect(await seen('172.18.0.5', 'loopback, 172.18.0.0/16')).toBe(believed);
    expect(await seen('127.0.0.1', 'loopback, 172.18.0.0/16')).toBe(believed);
    expect(await seen('172.19.0.5', '172.18.0.5,fd00::/8')).toBe('http 172.19.0.5');
    for (const wrong of ['everyone', '0.0.0.0/0', '::/0', '10.0.0.0/33', '10.0.0.1,'])
      expect(() => parseGatewayEnv({ TRUSTED_PROXIES: wrong })).toThrow(
        /TRUSTED_PROXIES: must be IP addresses/,
      );
  });

  it('believes the cloudflared of another container, wherever its name leads', async () => {
    const seen = async (variables: Record<string, string>) => {
      const app = newApp({ TRUSTED_PROXIES: '172.18.0.5', ...variables });
      releases.push(() => app.close());
      app.get('/seen', async ({ ip }) => ip);
      const headers = { host: '127.0.0.1', 'x-forwarded-for': '203.0.113.9' };
      return (await app.inject({ url: '/seen', remoteAddress: '::ffff:127.0.0.1', headers })).body;
    };
    expect(await seen({ CLOUDFLARED_METRICS: 'http://localhost:2000' })).toBe('203.0.113.9');
    expect(await seen({ CLOUDFLARED_METRICS: 'http://cloudflared.invalid:2000' })).toBe('::ffff:127.0.0.1');
    expect(await seen({})).toBe('::ffff:127.0.0.1');
  });

  it('lists every wrong variable at once', () => {
    const read = () => parseGatewayEnv({ GATEWAY_PORT: 'http', GATEWAY_BIND_ADDRESS: 'everywhere' });
    expect(read).toThrow(/GATEWAY_PORT: must be a whole number.*\n.*GATEWAY_BIND_ADDRESS: must be an IP/s);
  });

  it('ends with status 1 when it is configured wrongly', async () => {
    const gateway = await execaNode(main, { env: { GATEWAY_PORT: '0' }, reject: false });
    expect(gateway.exitCode).toBe(1);
    expect(gateway.stderr).toContain('GATEWAY_PORT: must be at least 1');
  });

  it('runs as a process and ends in order at SIGTERM', async () => {
    const port = await freePort();
    const gateway = execaNode(main, {
      env: { LINK_SECRET: linkSecret, GATEWAY_PORT: String(port) },
      reject: false,
    });
    releases.push(async () => gateway.kill('SIGKILL'));
    await vi.waitFor(() => fetch(`http://127.0.0.1:${port}/healthz`), { timeout: 20_000 });
    gateway.kill('SIGTERM');
    expect(await gateway).toMatchObject({ exitCode: 0 });
  });
});
