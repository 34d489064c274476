import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { startCloudflareApi } from './support/cloudflare-api.ts';
import { type Control, installCloudflared } from './support/cloudflared-install.ts';
import { startTunnel } from './support/cloudflared-tunnel.ts';
import { findFreePort } from './support/redis.ts';

/** Tunnels of a cloudflared that is not the gateway's child, as with Docker Compose: the gateway watches its metrics port. */

const releases: (() => Promise<unknown> | unknown)[] = [];
let folder: string;
let metricsPort: number;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'berth-neighbour-'));
  releases.push(() => rmSync(folder, { recursive: true }));
  metricsPort = await findFreePort();
});
afterEach(async () => {
  for (const release of releases.splice(0).reverse()) await release();
});

type InstalledCloudflared = ReturnType<typeof installCloudflared>;
const install = (control: Control = {}): InstalledCloudflared => {
  const cloudflared = installCloudflared(control);
  releases.push(cloudflared.remove);
  return cloudflared;
};

/** Starts cloudflared as a container would be: by somebody else, for good. */
const run = ({ program }: InstalledCloudflared, args: string[], env: Record<string, string> = {}) => {
  const config = join(folder, 'config.yml');
  writeFileSync(config, 'no-autoupdate: true\n');
  const metrics = `127.0.0.1:${metricsPort}`;
  const child = spawn(
    program,
    ['tunnel', '--no-autoupdate', '--config', config, '--metrics', metrics, ...args],
    {
      env: { PATH: process.env.PATH!, ...env },
      stdio: 'ignore',
    },
  );
  const ended = once(child, 'exit');
  const end = async () => {
    child.kill('SIGTERM');
    await ended;
  };
  releases.push(end);
  return { end };
};

const start = async (variables: Record<string, string> = {}) => {
  const started = await startTunnel({
    CLOUDFLARED_METRICS: `http://127.0.0.1:${metricsPort}`,
    CLOUDFLARED_BIN: '/nonexistent/cloudflared',
    ...variables,
  });
  releases.push(started.stop);
  return started;
};
const until = (condition: () => unknown) =>
  vi.waitFor(async () => expect(await condition()).toBeTruthy(), { timeout: 25_000, interval: 20 });

describe('a quick tunnel of another container', () => {
  it('is found, and its address leads to the gateway', async () => {
    const { address, open, tunnel } = await start();
    run(install(), ['--url', address]);
    await until(async () => (await open()).way === 'quick');
    const { origin } = await open();
    expect(await (await fetch(`${origin}/page`)).text()).toBe('hello https');
    expect(tunnel.status()).toMatchObject({
      way: 'quick',
      origin,
      connected: true,
      program: { version: '2025.8.1' },
    });
  });

  it('that does not run leaves the gateway’s own address, at once and with the reason', async () => {
    const { address, open, tunnel } = await start();
    const { origin, way, note } = await open();
    expect({ origin, way }).toEqual({ origin: address, way: 'address' });
    expect(note).toMatch(/^No cloudflared answers the gateway.* This address works only where/);
    expect(tunnel.status()).toMatchObject({ wanted: false, program: { version: null } });
  });

  it('has another address after its restart, and whoever asks then is told', async () => {
    const { address, open, tunnel } = await start({ TUNNEL: 'quick' });
    const cloudflared = install();
    const first = run(cloudflared, ['--url', address]);
    await until(() => tunnel.status().connected);
    const before = await open();
    await first.end();
    run(cloudflared, ['--url', address]);
    await until(() => tunnel.status().connected && tunnel.status().origin !== before.origin);
    const after = await open();
    expect(after.note).toMatch(/It was opened anew at \d\d:\d\d UTC and has another address since/);
    expect(tunnel.status()).toMatchObject({ restarts: 1 });
    expect(tunnel.publicOrigin()).toBe(after.origin);
  });

  it('whose connection is lost is told as such, until it is back', async () => {
    const { address, tunnel } = await start({ TUNNEL: 'quick' });
    const cloudflared = install();
    run(cloudflared, ['--url', address]);
    await until(() => tunnel.status().connected);
    const { origin } = tunnel.status();
    cloudflared.behave({ connected: false });
    await until(() => !tunnel.status().connected);
    cloudflared.behave({});
    await until(() => tunnel.status().connected);
    expect(tunnel.status()).toMatchObject({ origin, restarts: 0 });
  });
});

describe('a named tunnel of another container', () => {
  it('is set up by the gateway, which hands the token over in a file for cloudflared alone', async () => {
    const settings = {
      token: 'the-api-token-of-the-operator',
      accountId: 'a'.repeat(32),
      zones: ['example.org'],
    };
    const api = await startCloudflareApi(settings);
    releases.push(api.stop);
    const edgePort = await findFreePort();
    const tokenPath = join(folder, 'tunnel', 'token');
    const variables = {
      CLOUDFLARE_TOKEN: settings.token,
      CLOUDFLARE_ACCOUNT_ID: settings.accountId,
      CLOUDFLARE_HOSTNAME: 'vms.example.org',
      CLOUDFLARE_API_ROOT: api.root,
      TUNNEL_PROBE_VIA: `http://127.0.0.1:${edgePort}`,
      TUNNEL_TOKEN_PATH: tokenPath,
    };
    await start({ ...variables, TUNNEL_TARGET: 'http://gateway:8080' });
    await until(() => existsSync(tokenPath));
    expect(statSync(tokenPath).mode & 0o777).toBe(0o600);
    expect(readFileSync(tokenPath, 'utf8')).not.toContain(settings.token);
    expect(api.tunnels[0]!.ingress[0]).toEqual({
      hostname: 'vms.example.org',
      service: 'http://gateway:8080',
    });
    await releases.pop()!();

    const { mtimeMs } = statSync(tokenPath);
    const { address, tunnel } = await start(variables);
    // The stand-in asks once, at its start, what it leads to.
    await until(() => api.tunnels[0]!.ingress[0]!.service === address);
    run(install({ edgePort, apiRoot: api.root }), ['run'], { TUNNEL_TOKEN_FILE: tokenPath });
    await until(() => tunnel.status().connected);
    expect(tunnel.status()).toMatchObject({ way: 'named', origin: 'https://vms.example.org' });
    expect(statSync(tokenPath).mtimeMs, 'a token that is there already stays as it is').toBe(mtimeMs);
  });
});
