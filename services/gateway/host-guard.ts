import { isIP } from 'node:net';
import type { FastifyInstance } from 'fastify';

/**
 * A foreign page can point a name of its own at this machine (DNS rebinding); the browser then takes us for part of that
 * site. It still says the name: only our own ones are answered.
 */

export type HostGuardOptions = {
  publicOrigin: () => string;
  /** What the gateway listens on. */
  bindAddress: string;
};

const loopback = new Set(['localhost', '127.0.0.1', '[::1]']);
const everywhere = new Set(['0.0.0.0', '::']);

const nameOf = (host: string): string | null => {
  const url = `http://${host}`;
  return URL.canParse(url) ? new URL(url).hostname : null;
};

export const isOwnHost = (host: string | undefined, options: HostGuardOptions): boolean => {
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

export const registerHostGuard = (app: FastifyInstance, options: HostGuardOptions): void => {
  app.addHook('onRequest', async ({ headers }, reply) => {
    if (isOwnHost(headers.host, options)) return;
    return reply
      .code(421)
      .header('cache-control', 'no-store')
      .send({ error: 'Nothing is served under this name.' });
  });
};
