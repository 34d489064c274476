import cookie, { type CookieSerializeOptions } from '@fastify/cookie';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Redis } from 'ioredis';
import { findRevocation, findSession, isSecret, sessionLifetime } from '../../../queues/tickets.ts';

/** Whose browser this is: a cookie that only the pages below /queues get to see. */

export const cookieName = 'berth_dashboard';

export const cookieOptions = (secure: boolean): CookieSerializeOptions => ({
  httpOnly: true,
  sameSite: 'strict',
  secure,
  path: '/queues',
  maxAge: sessionLifetime.dashboard,
});

/** Whoever composes the gateway may have done so for all of it. */
export const withCookies = async (scope: FastifyInstance): Promise<void> => {
  if (!scope.hasPlugin('@fastify/cookie')) await scope.register(cookie);
};

/** Throws while Redis is away. */
export const hasSession = async (
  redis: Redis,
  instance: string,
  { cookies }: Pick<FastifyRequest, 'cookies'>,
): Promise<boolean> => {
  const token = cookies[cookieName];
  if (token === undefined || !isSecret(token)) return false;
  const session = await findSession(redis, instance, token);
  if (session?.grant.kind !== 'dashboard') return false;
  return (await findRevocation(redis, instance, session.grant)) === null;
};
