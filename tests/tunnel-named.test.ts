import { existsSync } from 'node:fs';
import { request } from 'node:http';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { startCloudflareApi } from './support/cloudflare-api.ts';
import { type Control, installCloudflared } from './support/cloudflared-install.ts';
import { startTunnel, type TestTunnel } from './support/cloudflared-tunnel.ts';
import { findFreePort } from './support/redis.ts';

/** Named tunnels: Cloudflare's API is a stand-in that remembers, cloudflared a process that serves what the API says. */

const releases: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const release of releases.splice(0).reverse()) await release();
});

const accountId = '0123456789abcdef0123456789abcdef';
const token = 'the-api-token-of-the-operator';
const zone = 'example.org';
const hostname = `berth.vms.${zone}`;

const startWorld = async (control: Control = {}) => {
  const api = await startCloudflareApi({ token, accountId, zones: [zone] });
  releases.push(api.stop);
  const edgePort = await findFreePort();
  const cloudflared = installCloudflared({ edgePort, apiRoot: api.root, ...control });
  releases.push(cloudflared.remove);
  const variables = {
    TUNNEL: 'auto',
    CLOUDFLARED_BIN: cloudflared.program,
    CLOUDFLARE_TOKEN: token,
    CLOUDFLARE_ACCOUNT_ID: accountId,
    CLOUDFLARE_HOSTNAME: hostname,
    CLOUDFLARE_API_ROOT: api.root,
    TUNNEL_PROBE_VIA: `http://127.0.0.1:${edgePort}`,
  };
  const start = async (more: Record<string, string> = {}, bind?: string): Promise<TestTunnel> => {
    const options = { times: { opening: 8_000 }, ...(bind === undefined ? {} : { bind }) };
    const started = await startTunnel({ ...variables, ...more }, options);
    releases.push(started.stop);
    return started;
  };
  return { api, edgePort, cloudflared, start };
};
const textAt = (edgePort: number): Promise<string> =>
  new Promise((resolve, reject) => {
    request({ port: edgePort, host: '127.0.0.1', path: '/', headers: { host: hostname } }, (response) => {
      response.on('data', (chunk: Buffer) => resolve(chunk.toString()));
    })
      .on('error', reject)
      .end();
  });
const record = (type: string, content: string, comment: string | null = null) => ({
  id: 'a-record',
  type,
  name: hostname,
  content,
  proxied: true,
  comment,
});

describe('a named tunnel', () => {
  it('is set up from nothing: tunnel, what it leads to, and the DNS record; and it works', async () => {
    const { api, edgePort, start } = await startWorld();
    const { open, address, tunnel } = await start();
    expect(await open()).toEqual({
      origin: `https://${hostname}`,
      way: 'named',
      note: `By the tunnel ${hostname}.`,
    });
    const [made, ...more] = api.tunnels;
    expect(more).toEqual([]);
    expect(made).toMatchObject({ name: `tunnel-test-${hostname}`, config_src: 'cloudflare' });
    expect(made!.ingress).toEqual([{ hostname, service: address }, { service: 'http_status:404' }]);
    expect(api.recordsOf(zone)).toMatchObject([
      { type: 'CNAME', name: hostname, content: `${made!.id}.cfargotunnel.com`, proxied: true },
    ]);
    expect(await textAt(edgePort)).toBe('hello https');
    expect(tunnel.status()).toMatchObject({ way: 'named', wanted: true, connected: true });
    expect(tunnel.publicOrigin()).toBe(`https://${hostname}`);
  });

  it.each(['127.0.0.2', '::1'])('leads to the gateway that listens on %s', async (bind) => {
    const { api, edgePort, start } = await startWorld();
    const { open, address } = await start({}, bind);
    expect((await open()).way).toBe('named');
    expect(api.tunnels[0]!.ingress[0]!.service).toBe(address);
    expect(await textAt(edgePort)).toBe('hello https');
  });

  it('found as it should be is left as it is', async () => {
    const { api, start } = await startWorld();
    const first = await start();
    await first.open();
    await first.stop();
    api.calls.splice(0);
    const second = await start({ TUNNEL: 'named' });
    const port = new URL(second.address).port;
    await second.open();
    // The other gateway had another port: only that is changed.
    const changes = api.calls.filter((call) => !call.startsWith('GET'));
    expect(changes).toEqual([`PUT /accounts/${accountId}/cfd_tunnel/${api.tunnels[0]!.id}/configurations`]);
    expect(api.tunnels[0]!.ingress[0]!.service).toBe(`http://127.0.0.1:${port}`);
  });

  it('set up by two gateways at once is one tunnel and one record', async () => {
    const { api, cloudflared, start } = await startWorld();
    cloudflared.behave({ edgePort: 0, apiRoot: api.root }); // two of them cannot have the same port
    const both = await Promise.all([
      start({ TUNNEL_PROBE_VIA: 'http://127.0.0.1:9' }),
      start({ TUNNEL_PROBE_VIA: 'http://127.0.0.1:9' }),
    ]);
    await vi.waitFor(() => expect(cloudflared.alive()).toHaveLength(2), { timeout: 8_000 });
    expect(api.tunnels).toHaveLength(1);
    expect(api.recordsOf(zone)).toHaveLength(1);
    await Promise.all(both.map(({ tunnel }) => tunnel.close()));
  });

  it('keeps its address when cloudflared dies', async () => {
    const { cloudflared, start } = await startWorld();
    const { open, tunnel } = await start();
    const first = await open();
    process.kill(cloudflared.starts()[0]!.pid, 'SIGKILL');
    await vi.waitFor(
      () => expect(cloudflared.starts().length === 2 && tunnel.status().connected).toBe(true),
      8_000,
    );
    expect(await open()).toEqual(first);
  });

  it('repairs a record of its own that leads to a tunnel that is gone, or is not proxied', async () => {
    const { api, start } = await startWorld();
    api.recordsOf(zone).push({
      ...record('CNAME', 'gone.cfargotunnel.com', 'berth: tunnel-test'),
      proxied: false,
    });
    const { open } = await start();
    expect((await open()).way).toBe('named');
    expect(api.recordsOf(zone)).toMatchObject([
      { id: 'a-record', content: `${api.tunnels[0]!.id}.cfargotunnel.com`, proxied: true },
    ]);
  });

  it('waits out faults of the API that pass', async () => {
    const { api, start } = await startWorld();
    api.fail({ path: /cfd_tunnel$/, status: 503, code: 0, message: 'busy', times: 2 });
    api.fail({ path: /dns_records/, status: 429, code: 10429, message: 'slow down', times: 2 });
    const { open } = await start();
    expect((await open()).way).toBe('named');
  });

  it('has no secret in argv, environment, log or status, and its token in a file for it alone, and not for long', async () => {
    const { api, cloudflared, start } = await startWorld();
    const { open, log, tunnel } = await start();
    await open();
    const { argv, env, tokenFileMode } = cloudflared.starts()[0]!;
    expect(tokenFileMode).toBe('600');
    expect(env.TUNNEL_TOKEN_FILE).toMatch(/\/token$/);
    expect(existsSync(env.TUNNEL_TOKEN_FILE!)).toBe(false);
    const seen = [argv.join(' '), JSON.stringify(env), log(), JSON.stringify(tunnel.status())].join('\n');
    for (const secret of [token, api.tokenOf(api.tunnels[0]!.id), 'tunnel-secret-of']) {
      expect(seen).not.toContain(secret);
    }
  });
});

describe('a named tunnel that cannot be set up says what to change', () => {
  type World = Awaited<ReturnType<typeof startWorld>>;
  const fault = (path: RegExp, status: number, code: number) => (world: World) =>
    world.api.fail({ path, status, code, message: 'Authentication error', times: 100 });
  const cases: [string, (world: World) => void, Record<string, string>, RegExp][] = [
    ['a wrong token', () => undefined, { CLOUDFLARE_TOKEN: 'wrong' }, /does not accept CLOUDFLARE_TOKEN/],
    ['a withdrawn token', ({ api }) => api.withdrawToken(), {}, /wrong, expired or withdrawn/],
    ['a token of the wrong form', fault(/cfd_tunnel/, 400, 6003), {}, /does not accept CLOUDFLARE_TOKEN/],
    ['no right to tunnels', fault(/cfd_tunnel/, 403, 10000), {}, /“Account · Cloudflare Tunnel · Edit”/],
    ['no right to zones', fault(/zones$/, 403, 10000), {}, /“Zone · Zone · Read”/],
    ['no right to records', fault(/dns_records/, 403, 10000), {}, /“Zone · DNS · Edit”/],
    [
      'another account',
      () => undefined,
      { CLOUDFLARE_ACCOUNT_ID: 'f'.repeat(32) },
      /CLOUDFLARE_ACCOUNT_ID is wrong/,
    ],
    [
      'a foreign zone',
      () => undefined,
      { CLOUDFLARE_HOSTNAME: 'a.other.net' },
      /No zone .* holds a\.other\.net/,
    ],
    ['too many requests', fault(/cfd_tunnel/, 429, 10429), {}, /takes no more requests for now/],
    ['an API that is down', fault(/cfd_tunnel/, 503, 0), {}, /has a fault now \(status 503\)/],
    ['no network', () => undefined, { CLOUDFLARE_API_ROOT: 'http://127.0.0.1:9' }, /no internet/],
    ['an old cloudflared', ({ cloudflared }) => cloudflared.behave({ version: '2024.12.2' }), {}, /too old/],
    [
      'an address record of somebody else',
      ({ api }) => void api.recordsOf(zone).push(record('A', '203.0.113.9')),
      {},
      /DNS record of somebody else \(A\), which is left alone/,
    ],
    [
      'a tunnel’s record of somebody else',
      ({ api }) => void api.recordsOf(zone).push(record('CNAME', 'other.cfargotunnel.com')),
      {},
      /DNS record of somebody else \(CNAME\)/,
    ],
  ];
  it.each(cases)('%s', async (_name, arrange, variables, words) => {
    const world = await startWorld();
    arrange(world);
    const before = structuredClone(world.api.recordsOf(zone));
    const { open, tunnel, log } = await world.start({ TUNNEL: 'named', ...variables });
    await expect(open()).rejects.toMatchObject({ name: 'TunnelProblem', text: expect.stringMatching(words) });
    expect(world.api.recordsOf(zone)).toEqual(before);
    expect(world.cloudflared.starts()).toEqual([]);
    expect(tunnel.status().lastProblem?.text).toMatch(words);
    expect(log()).not.toContain(token);
  });

  it('in the automatic way people get the gateway’s own address meanwhile', async () => {
    const { start } = await startWorld();
    const { open, address } = await start({ CLOUDFLARE_TOKEN: 'wrong' });
    const { origin, way, note } = await open();
    expect({ origin, way }).toEqual({ origin: address, way: 'address' });
    expect(note).toMatch(/does not accept CLOUDFLARE_TOKEN/);
  });
});
