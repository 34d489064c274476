import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { parseEnv, port } from '../../../shared/env.ts';
import { tunnelRule, tunnelVariables } from './env.ts';

const schema = z.object({ GATEWAY_PORT: port, ...tunnelVariables }).check(tunnelRule);
const read = (source: Record<string, string>) => parseEnv(schema, { GATEWAY_PORT: '8080', ...source });
const named = {
  CLOUDFLARE_TOKEN: 'token',
  CLOUDFLARE_ACCOUNT_ID: 'a'.repeat(32),
  CLOUDFLARE_HOSTNAME: 'VMs.example.org',
};

describe('the tunnel’s variables', () => {
  it('need nothing', () => {
    expect(read({})).toMatchObject({ TUNNEL: 'auto', CLOUDFLARED_BIN: 'cloudflared' });
  });

  it('of a named tunnel are all missed at once, beside the faults of others', () => {
    const fault = () => read({ TUNNEL: 'named', GATEWAY_PORT: 'http' });
    expect(fault).toThrow(/GATEWAY_PORT: must be a whole number/);
    for (const name of Object.keys(named)) expect(fault).toThrow(`${name}: is missing: a named tunnel needs`);
  });

  it('are at fault when a named tunnel is half configured', () => {
    expect(() => read({ CLOUDFLARE_TOKEN: 'token' })).toThrow(/CLOUDFLARE_HOSTNAME: is missing/);
    expect(read({ ...named, TUNNEL: 'named' }).CLOUDFLARE_HOSTNAME).toBe('vms.example.org');
    expect(read(named).TUNNEL).toBe('auto');
    expect(read({ CLOUDFLARE_TOKEN: 'token', TUNNEL: 'quick' }).TUNNEL).toBe('quick');
  });

  it('of a named tunnel by somebody else’s cloudflared say where its token goes', () => {
    const theirs = { ...named, CLOUDFLARED_METRICS: 'http://cloudflared:2000/' };
    expect(() => read(theirs)).toThrow(/TUNNEL_TOKEN_PATH: is missing/);
    expect(read({ ...theirs, TUNNEL_TOKEN_PATH: '/tunnel/token' }).CLOUDFLARED_METRICS).toBe(
      'http://cloudflared:2000',
    );
    expect(read({ CLOUDFLARED_METRICS: 'http://cloudflared:2000' }).TUNNEL).toBe('auto');
  });

  it('take a public address without a path only', () => {
    expect(read({ PUBLIC_URL: 'https://vms.example.org/' }).PUBLIC_URL).toBe('https://vms.example.org');
    for (const PUBLIC_URL of ['vms.example.org', 'ftp://a.org', 'https://a.org/berth', 'https://a.org/?x'])
      expect(() => read({ PUBLIC_URL }), PUBLIC_URL).toThrow(/PUBLIC_URL: must be an address/);
  });

  it('never repeat a wrong token', () => {
    expect(() => read({ ...named, CLOUDFLARE_TOKEN: 'two words' })).toThrow(
      /^Wrong configuration:\n {2}CLOUDFLARE_TOKEN: must be one word of printable characters$/,
    );
  });
});
