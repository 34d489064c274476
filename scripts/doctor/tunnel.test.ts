import { createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { parseGatewayEnv } from '../../services/gateway/env.ts';
import { startCloudflareApi } from '../../tests/support/cloudflare-api.ts';
import { installCloudflared } from '../../tests/support/cloudflared-install.ts';
import { findFreePort } from '../../tests/support/redis.ts';
import { checkTunnel } from './tunnel.ts';

/** Against a program, an API and an edge that stand in for Cloudflare's. */

const named = {
  TUNNEL: 'named',
  CLOUDFLARE_TOKEN: 'right-token',
  CLOUDFLARE_ACCOUNT_ID: 'a'.repeat(32),
  CLOUDFLARE_HOSTNAME: 'vms.example.org',
};

let cloudflared: ReturnType<typeof installCloudflared>;
let api: Awaited<ReturnType<typeof startCloudflareApi>>;
let edge: ReturnType<typeof createServer>;
let open: number;

beforeEach(async () => {
  cloudflared = installCloudflared();
  api = await startCloudflareApi({ token: 'right-token', accountId: 'a'.repeat(32), zones: ['example.org'] });
  open = await findFreePort();
  edge = createServer((socket) => socket.end()).listen(open, '127.0.0.1');
  await vi.waitFor(() => expect(edge.listening).toBe(true));
});
afterEach(async () => {
  cloudflared.remove();
  await api.stop();
  edge.close();
});

const look = async (variables: Record<string, string>, port = open) => {
  const env = parseGatewayEnv({
    PATH: process.env.PATH,
    LINK_SECRET: 'x'.repeat(32),
    CLOUDFLARED_BIN: cloudflared.program,
    CLOUDFLARE_API_ROOT: api.root,
    ...variables,
  });
  const closed = await findFreePort();
  const findings = await checkTunnel(env, {
    edge: [
      { host: '127.0.0.1', port: closed },
      { host: '127.0.0.1', port },
    ],
  });
  expect(JSON.stringify(findings)).not.toContain('token-');
  return Object.fromEntries(findings.map((finding) => [finding.name, finding]));
};

describe('the tunnel', () => {
  it('needs the program and one way to the edge', async () => {
    const found = await look({ TUNNEL: 'quick' });
    expect(found).toMatchObject({
      cloudflared: { status: 'ok', found: '2025.8.1' },
      Cloudflare: { status: 'ok' },
    });
    expect(api.calls).toEqual([]);
  });

  it('without a way to the edge is a failure that names the port to open', async () => {
    const { Cloudflare } = await look({ TUNNEL: 'quick' }, await findFreePort());
    expect(Cloudflare).toMatchObject({
      status: 'failure',
      advice: expect.stringContaining('port 7844'),
    });
  });

  it.each([
    ['auto', 'warning'],
    ['quick', 'failure'],
  ])('%s without the program is a %s, and says where to get it', async (TUNNEL, status) => {
    const { cloudflared: program } = await look({ TUNNEL, CLOUDFLARED_BIN: '/nowhere/cloudflared' });
    expect(program).toMatchObject({ status, advice: expect.stringContaining('Install it') });
  });

  it('under a name of one’s own needs a token that Cloudflare accepts', async () => {
    expect((await look(named))['Cloudflare token']).toMatchObject({
      status: 'ok',
      found: 'accepted, for vms.example.org',
    });
    const wrong = await look({ ...named, CLOUDFLARE_TOKEN: 'wrong-token-of-somebody' });
    expect(wrong['Cloudflare token']).toMatchObject({ status: 'failure' });
    const nowhere = await look({
      ...named,
      CLOUDFLARE_API_ROOT: `http://127.0.0.1:${await findFreePort()}`,
    });
    expect(nowhere['Cloudflare token']).toMatchObject({
      status: 'failure',
      found: expect.stringContaining('does not answer'),
    });
  });

  it('under a name of one’s own needs a program that reads its token from a file', async () => {
    cloudflared.behave({ version: '2024.12.2' });
    expect((await look(named)).cloudflared).toMatchObject({
      status: 'failure',
      found: '2024.12.2; a named tunnel needs 2025.4.0',
    });
    expect((await look({ TUNNEL: 'quick' })).cloudflared).toMatchObject({ status: 'ok' });
  });

  it.each([[{ TUNNEL: 'off' }], [{ PUBLIC_URL: 'https://vms.example.org' }]])(
    'that is not used needs nothing: %j',
    async (variables: Record<string, string>) => {
      const found = await look({ ...variables, CLOUDFLARED_BIN: '/nowhere/cloudflared' });
      expect(found).toEqual({ tunnel: expect.objectContaining({ status: 'ok' }) });
    },
  );
});
