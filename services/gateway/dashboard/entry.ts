import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Redis } from 'ioredis';
import { findRevocation, isSecret, lookAtTicket, spendTicket } from '../../../queues/tickets.ts';
import { isOwnOrigin, isSecure } from '../origin.ts';
import { foreignPage, pagePolicy, removedPage, spentPage, ticketPage, unknownPage } from './pages.ts';
import { cookieName, cookieOptions } from './session.ts';

/** From the link in the chat to a session: looking at the page spends nothing, pressing its button does. */

export type EntryDeps = {
  redis: Redis;
  instance: string;
  /** Under which origin people know us now. */
  publicOrigin: () => string;
};
type Ticket = { Params: { ticket: string } };

const form = 'application/x-www-form-urlencoded';
const limited = { config: { rateLimit: { max: 30, timeWindow: '1 minute' } } };

export const sendPage = (reply: FastifyReply, status: number, html: string): FastifyReply =>
  reply
    .code(status)
    .headers({
      'content-security-policy': pagePolicy,
      'cache-control': 'no-store',
      // With `no-referrer` a browser sends `Origin: null` with the form, even to the page's own site.
      'referrer-policy': 'same-origin',
      'x-content-type-options': 'nosniff',
    })
    .type('text/html; charset=utf-8')
    .send(html);

export const registerEntry = async (app: FastifyInstance, deps: EntryDeps): Promise<void> => {
  const { redis, instance, publicOrigin } = deps;
  if (!app.hasPlugin('@fastify/rate-limit')) await app.register(rateLimit, { global: false });
  // The form has no fields: the ticket is in the address.
  if (!app.hasContentTypeParser(form))
    app.addContentTypeParser(form, { parseAs: 'string', bodyLimit: 1_024 }, (_request, _body, done) =>
      done(null, {}),
    );

  const look = async (ticket: string): Promise<'good' | 'spent' | 'unknown' | 'removed'> => {
    if (!isSecret(ticket)) return 'unknown';
    const found = await lookAtTicket(redis, instance, ticket);
    if (found.state !== 'good') return found.state;
    // A ticket of another kind is not spent here, and one that is void opens nothing.
    if (found.grant.kind !== 'dashboard') return 'unknown';
    // What concerns a dashboard concerns its person.
    return (await findRevocation(redis, instance, found.grant)) === null ? 'good' : 'removed';
  };
  const refuse = (reply: FastifyReply, state: 'spent' | 'unknown' | 'removed') => {
    if (state === 'spent') return sendPage(reply, 410, spentPage);
    return sendPage(reply, 404, state === 'removed' ? removedPage : unknownPage);
  };

  app.get<Ticket>('/d/:ticket', limited, async ({ params }, reply) => {
    const state = await look(params.ticket);
    return state === 'good' ? sendPage(reply, 200, ticketPage) : refuse(reply, state);
  });

  app.post<Ticket>('/d/:ticket', limited, async (request, reply) => {
    if (!isOwnOrigin(request, publicOrigin())) return sendPage(reply, 403, foreignPage);
    const { ticket } = request.params;
    const state = await look(ticket);
    if (state !== 'good') return refuse(reply, state);
    const session = await spendTicket(redis, instance, ticket);
    if (session === null) return refuse(reply, 'spent');
    return reply
      .setCookie(cookieName, session.token, cookieOptions(isSecure(request, publicOrigin())))
      .header('cache-control', 'no-store')
      .redirect('/queues', 303);
  });
};
