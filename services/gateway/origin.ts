import type { FastifyRequest } from 'fastify';

/**
 * Where a request comes from, and how. A browser says with every POST and every socket which page sent it; whether it
 * spoke https with whoever stands before us, only a proxy that we believe says, or the public address itself.
 */

/** The Host asked for is the one that people know, and that one is https. */
const isAtPublicHttps = (host: string | undefined, publicOrigin: string): boolean => {
  const known = new URL(publicOrigin);
  if (host === undefined || known.protocol !== 'https:' || !URL.canParse(`https://${host}`)) return false;
  return new URL(`https://${host}`).host === known.host;
};

/** Whether a cookie may be for https only. A proxy that is not believed is no reason to send it in the clear. */
export const isSecure = (
  { protocol, headers: { host } }: Pick<FastifyRequest, 'protocol' | 'headers'>,
  publicOrigin: string,
): boolean => protocol === 'https' || isAtPublicHttps(host, publicOrigin);

/** Whether one of our own pages sent this; where people know us by https, one that came by http is none. */
export const isOwnOrigin = (
  { headers: { origin, host } }: Pick<FastifyRequest, 'headers'>,
  publicOrigin: string,
): boolean => {
  if (origin === undefined || host === undefined || !URL.canParse(origin)) return false;
  if (isAtPublicHttps(host, publicOrigin)) return new URL(origin).origin === new URL(publicOrigin).origin;
  return new URL(origin).host === host.toLowerCase();
};
