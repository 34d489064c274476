import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyRequest } from 'fastify';

/**
 * Who may read the figures: programs on this machine, and whoever has the token. cloudflared is a program on this machine
 * too, and what it brings is the internet's: it says so in its headers, and its Host is the public name.
 */

const loopbackPeer = /^(?:127(?:\.\d{1,3}){3}|::1|::ffff:127(?:\.\d{1,3}){3})$/;
const loopbackHost = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?$/i;
const proxyHeader = /^(?:x-forwarded-|x-real-ip$|forwarded$|via$|cf-|cdn-loop$|true-client-ip$)/;

const hash = (text: string): Buffer => createHash('sha256').update(text).digest();

export const bearsToken = (request: FastifyRequest, token: string | undefined): boolean => {
  const [, given] = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '') ?? [];
  return token !== undefined && given !== undefined && timingSafeEqual(hash(given), hash(token));
};

/** Asked by a program on this machine for itself. The socket is asked: Fastify's `ip` believes the headers. */
export const isFromThisMachine = ({ socket, headers }: FastifyRequest): boolean =>
  loopbackPeer.test(socket.remoteAddress ?? '') &&
  loopbackHost.test(headers.host ?? '') &&
  !Object.keys(headers).some((name) => proxyHeader.test(name));
