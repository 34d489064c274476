import { once } from 'node:events';
import { connect } from 'node:net';
import { isAtLeast, readVersion } from '../../services/gateway/tunnel/child.ts';
import { isNamedConfigured, type TunnelEnv } from '../../services/gateway/tunnel/env.ts';
import { childEnvOf, tokenFileSince } from '../../services/gateway/tunnel/tunnel.ts';
import { type Finding, failure, ok, warning } from './check.ts';

/** The way in from the internet: cloudflared, and what it has to reach outside. */

type Address = { host: string; port: number };

/** Where cloudflared connects to; either of them does. */
const cloudflareEdge: Address[] = ['region1', 'region2'].map((region) => ({
  host: `${region}.v2.argotunnel.com`,
  port: 7844,
}));

const patience = 6_000;

const reaches = async ({ host, port }: Address): Promise<boolean> => {
  const socket = connect({ host, port });
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(patience) });
    return true;
  } catch {
    return false; // whatever the reason, the finding is the same
  } finally {
    socket.destroy();
  }
};

const checkEdge = async (edge: Address[]): Promise<Finding> => {
  const reached = await Promise.all(edge.map(reaches));
  return reached.includes(true)
    ? ok('Cloudflare', 'the edge can be reached')
    : failure(
        'Cloudflare',
        `no connection to ${edge.map(({ host, port }) => `${host}:${port}`).join(' or ')}`,
        'Let this machine out to port 7844 (TCP and UDP), or set TUNNEL=off.',
      );
};

/** Tokens of people and of accounts are verified in different places. */
const checkToken = async (env: TunnelEnv, apiRoot: string): Promise<Finding> => {
  const name = 'Cloudflare token';
  const verify = async (path: string): Promise<boolean | null> => {
    const response = await fetch(`${apiRoot}${path}`, {
      headers: { authorization: `Bearer ${env.CLOUDFLARE_TOKEN}` },
      signal: AbortSignal.timeout(patience),
    }).catch(() => null);
    if (response === null || response.status >= 500) return null;
    const body = (await response.json().catch(() => null)) as { result?: { status?: string } } | null;
    return response.ok && body?.result?.status === 'active';
  };
  const places = ['/user/tokens/verify', `/accounts/${env.CLOUDFLARE_ACCOUNT_ID}/tokens/verify`];
  const answers = await Promise.all(places.map(verify));
  if (answers.includes(true)) return ok(name, `accepted, for ${env.CLOUDFLARE_HOSTNAME}`);
  return answers.includes(null)
    ? failure(name, `${apiRoot} does not answer`, 'Look at the network of this machine.')
    : failure(
        name,
        'Cloudflare does not accept CLOUDFLARE_TOKEN',
        'Make a new one with “Account · Cloudflare Tunnel · Edit”, “Zone · Zone · Read” and “Zone · DNS · Edit”.',
      );
};

/** A missing program is a failure only where a tunnel is asked for in so many words. */
const checkProgram = async (env: TunnelEnv, isNamed: boolean): Promise<Finding> => {
  const name = 'cloudflared';
  const version = await readVersion(env.CLOUDFLARED_BIN, childEnvOf(env));
  const advice =
    'Install it from https://github.com/cloudflare/cloudflared/releases, or set CLOUDFLARED_BIN.';
  if (version === null) {
    return env.TUNNEL === 'auto' && !isNamed
      ? warning(name, 'not there: links into terminals work on this machine only', advice)
      : failure(name, `${env.CLOUDFLARED_BIN} is not there, or does not answer`, advice);
  }
  return isNamed && !isAtLeast(version, tokenFileSince)
    ? failure(name, `${version}; a named tunnel needs ${tokenFileSince}`, 'Bring it up to date.')
    : ok(name, version);
};

/** Asks Cloudflare only where a tunnel is really going to be used. The token is in no finding. */
export const checkTunnel = async (
  env: TunnelEnv,
  { edge = cloudflareEdge }: { edge?: Address[] } = {},
): Promise<Finding[]> => {
  if (env.PUBLIC_URL !== undefined) return [ok('tunnel', `none: people come by ${env.PUBLIC_URL}`)];
  if (env.TUNNEL === 'off') return [ok('tunnel', 'off: links work where the gateway can be reached')];
  const isNamed = env.TUNNEL === 'named' || (env.TUNNEL === 'auto' && isNamedConfigured(env));
  const program = await checkProgram(env, isNamed);
  if (program.status === 'warning') return [program];
  const apiRoot = env.CLOUDFLARE_API_ROOT ?? 'https://api.cloudflare.com/client/v4';
  return Promise.all([program, checkEdge(edge), ...(isNamed ? [checkToken(env, apiRoot)] : [])]);
};
