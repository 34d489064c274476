import { isIP } from 'node:net';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { bearsToken } from './metrics/access.ts';

/**
 * A foreign page can point a name of its own at this machine (DNS rebinding); the browser then takes us for part of that
 * site. It still says the name: only our own ones are answered. Programs call us by whatever name they reach us by, a
 * container's for one: what is there for them asks for a token, which no foreign page has, or tells nothing of anybody.
 */

export type HostGuardOptions = {
  publicOrigin: () => string;
  /** What the gateway listens on. */
  bindAddress: string;
  metricsToken: string | undefined;
};

const loopback = new Set(['localhost', '127.0.0.1', '[::1]']);
const everywhere = new Set(['0.0.0.0', '::']);

const nameOf = (host: string): string | null => {
  const url = `http://${host}`;
  return URL.canParse(url) ? new URL(url).hostname : null;
};

export const isOwnHost = (
  host: string | undefined,
  options: Pick<HostGuardOptions, 'publicOrigin' | 'bindAddress'>,
): boolean => {
  if (host === undefined || /[/?#@\\]/.test(host)) return false;
  const name = nameOf(host);
  if (name === null) return false;
  if (loopback.has(name) || host.toLowerCase() === new URL(options.publicOrigin()).host) return true;
  // No name stands behind a bare address that could have been pointed elsewhere.
  if (everywhere.has(options.bindAddress)) return isIP(name.replace(/^\[|\]$/g, '')) !== 0;
  return (
    name === nameOf(options.bindAddress.includes(':') ? `[${options.bindAddress}]` : options.bindAddress)
  );
};

const healthChecks: ReadonlySet<string> = new Set(['/healthz', '/readyz']);

/** The route is asked, not the address: that can be spelled in many ways. */
const isForPrograms = (request: FastifyRequest, token: string | undefined): boolean => {
  const { url } = request.routeOptions;
  if (url === undefined) return false;
  return healthChecks.has(url) || (url === '/metrics' && bearsToken(request, token));
};

export const registerHostGuard = (app: FastifyInstance, options: HostGuardOptions): void => {
  app.addHook('onRequest', async (request, reply) => {
    if (isOwnHost(request.headers.host, options) || isForPrograms(request, options.metricsToken)) return;
    return reply
      .code(421)
      .header('cache-control', 'no-store')
      .send({ error: 'Nothing is served under this name.' });
  });
};
