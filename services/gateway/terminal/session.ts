import type { CookieSerializeOptions } from '@fastify/cookie';
import type { FastifyRequest } from 'fastify';
import type { Redis } from 'ioredis';
import {
  findRevocation,
  findSession,
  isSecret,
  type Revocation,
  sessionLifetime,
  sessionName,
  type TerminalGrant,
} from '../../../queues/tickets.ts';

/** Whose terminals these are: a cookie for each session, which only the pages of that session get to see. */

export const cookieName = 'berth_terminal';
export const pathOf = (token: string): string => `/terminal/${sessionName(token)}`;

export const cookieOptions = (token: string, secure: boolean): CookieSerializeOptions => ({
  httpOnly: true,
  sameSite: 'strict',
  secure,
  path: pathOf(token),
  maxAge: sessionLifetime.terminal,
});

export type Entered =
  | { state: 'good'; token: string; grant: TerminalGrant }
  | { state: 'revoked'; reason: Revocation['reason'] }
  | { state: 'over' };

/** Throws while Redis is away. */
export const enter = async (
  redis: Redis,
  instance: string,
  name: string,
  { cookies }: Pick<FastifyRequest, 'cookies'>,
): Promise<Entered> => {
  const token = cookies[cookieName];
  if (token === undefined || !isSecret(token) || sessionName(token) !== name) return { state: 'over' };
  const session = await findSession(redis, instance, token);
  if (session?.grant.kind !== 'terminal') return { state: 'over' };
  const revoked = await findRevocation(redis, instance, session.grant);
  if (revoked !== null) return { state: 'revoked', reason: revoked.reason };
  return { state: 'good', token, grant: session.grant };
};
