import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { type Control, installCloudflared, isAlive } from './support/cloudflared-install.ts';
import { startTunnel, type TestTunnel } from './support/cloudflared-tunnel.ts';

/** Quick tunnels, with a cloudflared that is a real process but for Cloudflare itself. */

const releases: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const release of releases.splice(0).reverse()) await release();
});

type Options = Parameters<typeof startTunnel>[1];
const start = async (
  control: Control = {},
  variables: Record<string, string> = {},
  options: Options = {},
) => {
  const cloudflared = installCloudflared(control);
  releases.push(cloudflared.remove);
  const started = await startTunnel({ CLOUDFLARED_BIN: cloudflared.program, ...variables }, options);
  releases.push(started.stop);
  return { cloudflared, ...started };
};
const until = (condition: () => unknown) =>
  vi.waitFor(() => expect(condition()).toBeTruthy(), { timeout: 25_000, interval: 20 });
const connected = (started: Pick<TestTunnel, 'tunnel'>) => started.tunnel.status().connected;

describe('a quick tunnel', () => {
  it('is opened at the first wish, and its address leads to the gateway: pages and WebSockets', async () => {
    const { cloudflared, open, tunnel } = await start();
    expect(cloudflared.starts()).toEqual([]);
    expect(tunnel.status()).toMatchObject({ way: 'quick', wanted: false, program: { version: '2025.8.1' } });
    const { origin, way, note } = await open();
    expect({ way, note }).toEqual({
      way: 'quick',
      note: 'By a quick Cloudflare tunnel, as no named one is configured; its address changes when it has to be opened anew.',
    });
    expect(await (await fetch(`${origin}/page`)).text()).toBe('hello https');
    const socket = new WebSocket(`${origin.replace('http', 'ws')}/socket`);
    await once(socket, 'open');
    socket.send(Buffer.from('ping'));
    const [echo] = (await once(socket, 'message')) as [Buffer];
    expect(echo.toString()).toBe('ping');
    socket.terminate();
    expect(tunnel.status()).toMatchObject({
      origin,
      wanted: true,
      connected: true,
      restarts: 0,
      lastProblem: null,
    });
    expect(tunnel.publicOrigin()).toBe(origin);
  });

  it.each(['127.0.0.2', '::1', '0.0.0.0'])('leads to the gateway that listens on %s', async (bind) => {
    const { open } = await start({}, {}, { bind });
    const { origin, way } = await open();
    expect(way).toBe('quick');
    expect(await (await fetch(`${origin}/page`)).text()).toBe('hello https');
  });

  it('is shared by all who wish meanwhile and later', async () => {
    const { cloudflared, open } = await start();
    const origins = await Promise.all(Array.from({ length: 20 }, open));
    origins.push(await open());
    expect(new Set(origins.map(({ origin }) => origin)).size).toBe(1);
    expect(cloudflared.starts()).toHaveLength(1);
  });

  it('stands from the gateway’s start on where the settings say quick', async () => {
    const started = await start({}, { TUNNEL: 'quick' });
    await until(() => connected(started));
    expect(started.cloudflared.starts()).toHaveLength(1);
    expect((await started.open()).note).toBe(
      'By a quick Cloudflare tunnel; its address changes when it has to be opened anew.',
    );
  });

  it('ends with the gateway, and leaves neither process nor file', async () => {
    const instance = 'leaves-nothing';
    const { cloudflared, open, tunnel } = await start({}, {}, { instance });
    await open();
    const { pid } = cloudflared.starts()[0]!;
    expect(isAlive(pid)).toBe(true);
    await tunnel.close();
    expect(isAlive(pid)).toBe(false);
    expect(readdirSync(tmpdir()).filter((name) => name.startsWith(`berth-tunnel-${instance}-`))).toEqual([]);
  });

  it('ends by force where cloudflared does not heed SIGTERM', async () => {
    const { cloudflared, open, tunnel } = await start({ ignoresTerm: true });
    await open();
    const before = performance.now();
    await tunnel.close();
    expect(performance.now() - before).toBeLessThan(4_500);
    expect(cloudflared.alive()).toEqual([]);
  });

  it('is opened anew when cloudflared is killed; its address is another one then, and whoever asks is told', async () => {
    const started = await start();
    const { cloudflared, open, tunnel } = started;
    const first = await open();
    process.kill(cloudflared.starts()[0]!.pid, 'SIGKILL');
    await until(() => cloudflared.starts().length === 2 && connected(started));
    const second = await open();
    expect(second.origin).not.toBe(first.origin);
    expect(second.note).toMatch(
      /^By a quick .* It was opened anew at \d\d:\d\d UTC and has another address since; older links lead/,
    );
    const status = tunnel.status();
    expect(status).toMatchObject({ restarts: 1, lastProblem: { text: 'cloudflared ended unexpectedly.' } });
    expect(Date.now() - Date.parse(status.since)).toBeLessThan(10_000);
    await expect(fetch(first.origin)).rejects.toThrow();
  });

  it('is tried for again and again while cloudflared keeps dying', async () => {
    const { cloudflared, open } = await start({ diesAfterMs: 100 }, { TUNNEL: 'quick' });
    await until(() => cloudflared.starts().length >= 3);
    cloudflared.behave({});
    await until(() => cloudflared.alive().length === 1);
    expect((await open()).way).toBe('quick');
  });

  it('is opened anew where the connection stays away, since cloudflared alone would try for ever', async () => {
    const started = await start({}, {}, { times: { disconnected: 500 } });
    const { cloudflared, open, tunnel } = started;
    await open();
    cloudflared.behave({ connected: false });
    await until(() => !connected(started));
    expect(tunnel.status().lastProblem?.text).toBe('The connection to Cloudflare was lost.');
    cloudflared.behave({});
    await until(() => connected(started));
    await open();
    cloudflared.behave({ connected: false });
    await until(() => cloudflared.starts().length === 2);
    cloudflared.behave({});
    await until(() => connected(started));
  });

  it('goes over HTTP/2 where the network lets no UDP through, also the next time', async () => {
    const { cloudflared, open } = await start({ mode: 'quic-blocked' });
    expect((await open()).way).toBe('quick');
    const protocols = () => cloudflared.starts().map(({ argv }) => argv.includes('http2'));
    expect(protocols()).toEqual([false, true]);
    process.kill(cloudflared.starts()[1]!.pid, 'SIGKILL');
    await until(() => protocols().length === 3);
    expect(protocols()[2]).toBe(true);
  });

  it('sees no configuration of the machine and nothing of the gateway’s environment', async () => {
    const { cloudflared, open } = await start({}, { SSL_CERT_FILE: '/etc/ssl/cert.pem' });
    await open();
    const { argv, env } = cloudflared.starts()[0]!;
    expect(argv).toContain('--config');
    expect(argv).toContain('--no-autoupdate');
    expect(env.HOME).toMatch(/berth-tunnel-tunnel-test-/);
    const names = Object.keys(env).filter((name) => !['_', 'PWD', 'OLDPWD', 'SHLVL'].includes(name));
    expect(names.sort()).toEqual(['HOME', 'PATH', 'SSL_CERT_FILE']);
  });
});

describe('where no tunnel comes about', () => {
  const expectAddress = async (started: Awaited<ReturnType<typeof start>>, reason: RegExp) => {
    const { origin, way, note } = await started.open();
    expect({ origin, way }).toEqual({ origin: started.address, way: 'address' });
    expect(note).toMatch(reason);
    expect(note).toMatch(/This address works only where the gateway’s machine can be reached/);
    await until(() => started.tunnel.status().wanted === false);
    expect(started.cloudflared.alive()).toEqual([]);
    expect(started.tunnel.status().lastProblem?.text).toMatch(reason);
  };
  const failures: [Control, RegExp][] = [
    [{ mode: 'rate-limited' }, /no more quick tunnels for now/],
    [{ mode: 'no-network' }, /seems to have no internet/],
    [{ mode: 'refused' }, /refused the tunnel/],
    [{ diesAfterMs: 1, mode: 'silent' }, /cloudflared ended unexpectedly/],
  ];
  it.each(failures)('%j: people get the gateway’s own address and the reason', async (control, reason) => {
    await expectAddress(await start(control), reason);
  });

  it('an opening that leads nowhere ends at its time, with what is known', async () => {
    const cases: [Control, RegExp][] = [
      [{ mode: 'no-connection' }, /A firewall may block port 7844/],
      [{ mode: 'silent' }, /did not come up in time/],
      [{ mode: 'not-answering' }, /its address does not answer yet/],
    ];
    await Promise.all(
      cases.map(async ([control, reason]) =>
        expectAddress(await start(control, {}, { times: { opening: 8_000 } }), reason),
      ),
    );
  });

  it('people hear that the connection is lost, soon, and also where a wish comes to its own end', async () => {
    const cases = [{ patience: 300 }, { answer: 5_000 }];
    for (const times of cases) {
      const started = await start({}, {}, { times });
      await started.open();
      started.cloudflared.behave({ connected: false });
      await until(() => !connected(started));
      const { way, note } = await started.open();
      expect(way).toBe('address');
      expect(note).toMatch(/^The connection to Cloudflare was lost\. This address works only/);
    }
  });

  it('the next wish tries anew', async () => {
    const { cloudflared, open } = await start({ mode: 'no-network' });
    expect((await open()).way).toBe('address');
    cloudflared.behave({});
    expect((await open()).way).toBe('quick');
  });

  it('Cloudflare is left in peace for a while after “too many requests”', async () => {
    const { cloudflared, open } = await start({ mode: 'rate-limited' });
    await open();
    cloudflared.behave({});
    expect((await open()).note).toMatch(/Try again in some minutes/);
    expect(cloudflared.starts()).toHaveLength(1);
  });

  it('cloudflared is missing: the note says so, until it is installed', async () => {
    const { cloudflared, address } = await start();
    const missing = await startTunnel({ PATH: '/nonexistent' });
    releases.push(missing.stop);
    expect(missing.tunnel.status()).toMatchObject({ way: 'address', program: { version: null } });
    expect(await missing.open()).toMatchObject({ origin: missing.address, way: 'address' });
    expect((await missing.open()).note).toMatch(/cloudflared is not installed/);
    const found = await startTunnel({ PATH: `${cloudflared.folder}:${process.env.PATH}` });
    releases.push(found.stop);
    expect((await found.open()).way).toBe('quick');
    expect(address).toBeTruthy();
  });

  it('a tunnel that the settings demand is refused with the reason, and tried for on and on', async () => {
    const started = await start({ mode: 'no-network' }, { TUNNEL: 'quick' });
    await expect(started.open()).rejects.toMatchObject({
      name: 'TunnelProblem',
      text: expect.stringContaining('no internet'),
    });
    started.cloudflared.behave({});
    await until(() => connected(started));
  });
});

describe('without a tunnel', () => {
  it('an address of the operator’s own wins over all', async () => {
    const { cloudflared, open, tunnel } = await start(
      {},
      { TUNNEL: 'quick', PUBLIC_URL: 'https://vms.example.org/' },
    );
    expect(await open()).toEqual({
      origin: 'https://vms.example.org',
      way: 'fixed',
      note: 'By the address in PUBLIC_URL.',
    });
    expect(tunnel.status()).toMatchObject({ way: 'fixed', wanted: false });
    expect(cloudflared.starts()).toEqual([]);
  });

  it('off means off', async () => {
    const { cloudflared, open, address } = await start({}, { TUNNEL: 'off' });
    expect(await open()).toMatchObject({
      origin: address,
      way: 'address',
      note: expect.stringContaining('TUNNEL=off'),
    });
    expect(cloudflared.starts()).toEqual([]);
  });
});

it('nothing that cloudflared logs brings a ticket into our log', async () => {
  const { open, log } = await start({}, {}, { port: 9 });
  const wish = open();
  await until(() => log().includes('Registered tunnel'));
  const origin = /http:\/\/127\.0\.0\.1:\d+/.exec(log())![0];
  await fetch(`${origin}/t/TICKET`);
  await until(() => log().includes('Unable to reach the origin service'));
  expect(log()).not.toContain('TICKET');
  void wish.catch(() => undefined);
});
