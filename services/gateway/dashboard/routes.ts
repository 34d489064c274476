import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Redis } from 'ioredis';
import type { Log } from '../../../shared/log.ts';
import { isOwnOrigin } from '../origin.ts';
import type { QueueSet } from '../queue-set.ts';
import { createBoard } from './board.ts';
import { registerEntry, sendPage } from './entry.ts';
import { awayPage, busyPage, closedPage, foreignPage } from './pages.ts';
import { hasSession, withCookies } from './session.ts';

/**
 * The queues for an administrator's eyes: `/d/<ticket>` is the way in, everything below `/queues` needs the session that
 * comes of it.
 */

export type DashboardDeps = {
  redis: Redis;
  instance: string;
  queues: QueueSet;
  /** Whether it may also change something. */
  write: boolean;
  /** Under which origin people know us now. */
  publicOrigin: () => string;
  log: Log;
};

const basePath = '/queues';
const isReading = (method: string): boolean => method === 'GET' || method === 'HEAD';

/**
 * Scripts come from files only; the configuration that stands in the page is data, which no policy minds. Styles may be
 * inline: the board's libraries write style elements and attributes as they go.
 */
const boardPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "form-action 'none'",
  "base-uri 'self'",
  "frame-ancestors 'none'",
].join('; ');

/** Fonts from somewhere else, which the policy forbids anyway: the board then takes the browser's own. */
const foreignFonts = /\s*<link\s[^>]*href="https:\/\/fonts\.googleapis\.com[^>]*>/g;

export const registerDashboard = (app: FastifyInstance, deps: DashboardDeps): void => {
  const { redis, instance, queues, write, publicOrigin, log } = deps;
  const board = createBoard({ queues, write, basePath, log });

  app.register(async (scope) => {
    await withCookies(scope);
    scope.setErrorHandler((err: { statusCode?: number }, _request, reply) => {
      if (err.statusCode === 429) return sendPage(reply, 429, busyPage);
      log.warn({ err }, 'the way into the dashboard failed');
      return sendPage(reply, 503, awayPage);
    });
    await registerEntry(scope, { redis, instance, publicOrigin });
  });

  app.register(
    async (scope) => {
      await withCookies(scope);
      /** Bull Board would answer for us with an error of its own. */
      const orAway = async <T>(reply: FastifyReply, ask: () => Promise<T>): Promise<T | undefined> => {
        try {
          return await ask();
        } catch (err) {
          queues.forget();
          log.warn({ err }, 'the dashboard is without Redis');
          sendPage(reply, 503, awayPage);
          return undefined;
        }
      };
      scope.addHook('onRequest', async (request, reply) => {
        const entered = await orAway(reply, () => hasSession(redis, instance, request));
        if (entered === undefined) return reply;
        if (!entered) return sendPage(reply, 403, closedPage);
        if (isReading(request.method)) return;
        if (!write)
          return reply
            .code(405)
            .send({ error: 'The dashboard only shows; DASHBOARD_WRITE=on lets it change.' });
        if (!isOwnOrigin(request, publicOrigin())) return sendPage(reply, 403, foreignPage);
      });
      scope.addHook('preHandler', async ({ url }, reply) => {
        if (url.startsWith(`${basePath}/static/`)) return;
        const refreshed = await orAway(reply, async () => {
          await board.refresh();
          return true;
        });
        if (refreshed === undefined) return reply;
      });
      scope.addHook('onSend', async (request, reply, payload) => {
        const html = String(reply.getHeader('content-type') ?? '').startsWith('text/html');
        if (reply.getHeader('content-security-policy') === undefined || reply.statusCode === 200)
          reply.header('content-security-policy', boardPolicy);
        reply.headers({ 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' });
        if (!request.url.startsWith(`${basePath}/static/`)) reply.header('cache-control', 'no-store');
        return html && typeof payload === 'string' ? payload.replace(foreignFonts, '') : payload;
      });
      scope.setNotFoundHandler((_request, reply) =>
        reply.code(404).send({ error: 'There is nothing here.' }),
      );
      scope.register(board.plugin);
    },
    { prefix: basePath },
  );
};
