import cookie from '@fastify/cookie';
import helmet from '@fastify/helmet';
import type {} from '@fastify/rate-limit';
import websocket from '@fastify/websocket';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Redis } from 'ioredis';
import { nanoid } from 'nanoid';
import {
  findRevocation,
  isSecret,
  lookAtTicket,
  type Revocation,
  spendTicket,
} from '../../../queues/tickets.ts';
import type { Log } from '../../../shared/log.ts';
import { type EndReason, longestInput, windowId } from '../../../shared/terminal/protocol.ts';
import { isOwnOrigin, isSecure } from '../origin.ts';
import { registerAssets } from './assets.ts';
import { createOpenTerminals, mostWindows, type OpenTerminals } from './open-terminals.ts';
import {
  awayPage,
  foreignPage,
  hurryPage,
  overPage,
  spentPage,
  terminalPage,
  ticketPage,
  unknownPage,
  voidPage,
} from './pages.ts';
import { closing, startRelay } from './relay.ts';
import { cookieName, cookieOptions, enter, pathOf } from './session.ts';

/** From the link in the chat to a terminal: `/t/<ticket>` is the way in, `/terminal/<session>` what comes of it. */

export type TerminalDeps = {
  redis: Redis;
  instance: string;
  secret: string;
  /** Under which origin people know us now. */
  publicOrigin: () => string;
  log: Log;
};

type Ticket = { Params: { ticket: string } };
type Name = { Params: { name: string } };

const perMinute = (max: number) => ({ rateLimit: { max, timeWindow: '1 minute' } });

const policy = {
  'default-src': ["'none'"],
  'script-src': ["'self'"],
  // xterm.js makes style elements for its sizes and colours, and style attributes for true colours, as it goes. What it
  // puts there is numbers of its own; no text of the terminal becomes markup.
  'style-src': ["'self'", "'unsafe-inline'"],
  'connect-src': ["'self'"],
  'img-src': ["'self'"],
  'font-src': ["'self'"],
  'base-uri': ["'none'"],
  'form-action': ["'self'"],
  'frame-ancestors': ["'none'"],
};

const sendPage = (reply: FastifyReply, status: number, html: string): FastifyReply =>
  reply.code(status).header('cache-control', 'no-store').type('text/html; charset=utf-8').send(html);

const isTicketPage = (url: string): boolean => url.startsWith('/t/');

const registerTickets = (scope: FastifyInstance, deps: TerminalDeps): void => {
  const { redis, instance, publicOrigin } = deps;
  // The form has no fields: the ticket is in the address.
  scope.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string', bodyLimit: 1_024 },
    (_request, _body, done) => done(null, {}),
  );
  const look = async (ticket: string): Promise<'good' | 'spent' | 'unknown' | Revocation> => {
    if (!isSecret(ticket)) return 'unknown';
    const found = await lookAtTicket(redis, instance, ticket);
    if (found.state !== 'good') return found.state;
    if (found.grant.kind !== 'terminal') return 'unknown';
    return (await findRevocation(redis, instance, found.grant)) ?? 'good';
  };
  const refuse = (reply: FastifyReply, state: 'spent' | 'unknown' | Revocation) => {
    if (state === 'spent') return sendPage(reply, 410, spentPage);
    return sendPage(reply, 404, state === 'unknown' ? unknownPage : voidPage(state.reason));
  };

  scope.get<Ticket>('/t/:ticket', { config: perMinute(30) }, async ({ params }, reply) => {
    const state = await look(params.ticket);
    return state === 'good' ? sendPage(reply, 200, ticketPage) : refuse(reply, state);
  });
  scope.post<Ticket>('/t/:ticket', { config: perMinute(30) }, async (request, reply) => {
    if (!isOwnOrigin(request, publicOrigin())) return sendPage(reply, 403, foreignPage);
    const { ticket } = request.params;
    const state = await look(ticket);
    if (state !== 'good') return refuse(reply, state);
    const session = await spendTicket(redis, instance, ticket);
    if (session === null) return refuse(reply, 'spent');
    return reply
      .setCookie(cookieName, session.token, cookieOptions(session.token, isSecure(request, publicOrigin())))
      .header('cache-control', 'no-store')
      .redirect(pathOf(session.token), 303);
  });
};

const registerSockets = (scope: FastifyInstance, deps: TerminalDeps, open: OpenTerminals): void => {
  const { redis, instance, secret, publicOrigin, log } = deps;

  scope.get<Name>('/terminal/:name', { config: perMinute(120) }, async (request, reply) => {
    const { state } = await enter(redis, instance, request.params.name, request);
    // The page of a revoked session says itself what became of it.
    return state === 'over' ? sendPage(reply, 403, overPage) : sendPage(reply, 200, terminalPage);
  });

  scope.get<Name & { Querystring: { window?: unknown } }>(
    '/terminal/:name/socket',
    {
      websocket: true,
      config: perMinute(60),
      // A browser sends the cookie whoever opens the socket: the origin is what tells our page from others.
      preValidation: async (request, reply) => {
        if (!isOwnOrigin(request, publicOrigin()))
          return reply.code(403).send({ error: 'not from another site' });
        if (!windowId.safeParse(request.query.window).success)
          return reply.code(400).send({ error: 'which window?' });
      },
    },
    (socket, request) => {
      socket.pause(); // what comes meanwhile waits
      const { name } = request.params;
      const window = request.query.window as string;
      const refuse = (reason: EndReason) => {
        socket.send(JSON.stringify({ type: 'ended', reason }));
        socket.close(closing.done);
      };
      const begin = async () => {
        const entered = await enter(redis, instance, name, request);
        socket.resume();
        if (entered.state === 'over') return refuse('session-over');
        if (entered.state === 'revoked') return refuse(entered.reason);
        open.replace(name, window);
        if (open.windowsBeside(name, window) >= mostWindows) return refuse('too-many');
        const { token, grant } = entered;
        const id = nanoid();
        const relay = startRelay(socket, {
          workers: { redis, instance, secret, log },
          grant,
          session: name,
          window,
          log,
          onClosed: () => {
            open.remove(id);
            log.info({ terminal: id, vmId: grant.vmId }, 'a terminal closed');
          },
        });
        open.add({ id, token, grant, session: name, window, since: new Date().toISOString(), relay });
        log.info({ terminal: id, vmId: grant.vmId }, 'a terminal opened');
      };
      begin().catch((err: unknown) => {
        log.warn({ err }, 'a terminal could not be begun'); // Redis is away
        socket.resume();
        socket.close(closing.later);
      });
    },
  );
};

export const registerTerminal = (app: FastifyInstance, deps: TerminalDeps): void => {
  const { redis, instance, log } = deps;
  app.register(async (scope) => {
    // It waits for Redis as long as that takes, where everything else fails at once.
    const subscriber = redis.duplicate({ enableOfflineQueue: true, maxRetriesPerRequest: null });
    subscriber.on('error', () => undefined); // the other connection says so
    const open = createOpenTerminals({ redis, subscriber, instance, log });
    scope.addHook('preClose', async () => {
      open.close();
      subscriber.disconnect(); // it only listened: there is nothing to wait for
    });
    await scope.register(cookie);
    await scope.register(helmet, {
      contentSecurityPolicy: { useDefaults: false, directives: policy },
      referrerPolicy: { policy: 'no-referrer' },
      strictTransportSecurity: false, // that is up to who ends TLS
    });
    // With `no-referrer` a browser sends `Origin: null` with a form, even to the page's own site.
    scope.addHook('onSend', async ({ url }, reply) => {
      if (isTicketPage(url)) reply.header('referrer-policy', 'same-origin');
    });
    await scope.register(websocket, {
      options: { maxPayload: longestInput, perMessageDeflate: false },
      errorHandler: (err, socket) => {
        log.warn({ err }, 'a page’s socket failed');
        socket.terminate();
      },
    });
    scope.setErrorHandler((err: { statusCode?: number }, _request, reply) => {
      if (err.statusCode === 429) return sendPage(reply, 429, hurryPage);
      if (err.statusCode !== undefined && err.statusCode < 500)
        return reply.code(err.statusCode).send({ error: 'That cannot be asked.' });
      log.warn({ err }, 'the way into a terminal failed');
      return sendPage(reply, 503, awayPage);
    });
    await registerAssets(scope);
    registerTickets(scope, deps);
    registerSockets(scope, deps, open);
  });
};
