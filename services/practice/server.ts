import { join } from 'node:path';
import multipart from '@fastify/multipart';
import fastifyStatic from '@fastify/static';
import fastify, { type FastifyInstance } from 'fastify';
import { createPresence } from './bot-api/presence.ts';
import { registerBotApi } from './bot-api/routes.ts';
import { registerEventRoutes } from './control/event-routes.ts';
import { registerGuard } from './control/guard.ts';
import { registerMessageRoutes } from './control/message-routes.ts';
import { registerPeopleRoutes } from './control/people-routes.ts';
import { registerTestRoutes } from './control/test-routes.ts';
import { createPractice, type Practice, type PracticeOptions } from './practice.ts';
import { Refusal } from './refusal.ts';
import { limits } from './state/model.ts';

/**
 * The practice chat: Telegram's Bot API for one bot on this machine, a page to chat in, and a control API for
 * tests. `bot-api/` is what the bot talks to, `control/` what people and tests do, `page/` what they see.
 */
export type PracticeServer = {
  app: FastifyInstance;
  practice: Practice;
  /** Starts listening; port 0 takes a free one. Returns the address, such as `http://127.0.0.1:8081`. */
  listen(port: number, host?: string): Promise<string>;
  close(): Promise<void>;
};

const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const registerParsers = (app: FastifyInstance): void => {
  app.register(multipart, { limits: { fileSize: limits.fileBytes, fields: 100, parts: 120 } });
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string' },
    (_request, body, done) => done(null, Object.fromEntries(new URLSearchParams(String(body)))),
  );
};

const registerPage = (app: FastifyInstance): void => {
  app.addHook('onSend', async (_request, reply) => {
    reply.headers({
      'content-security-policy': policy,
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-resource-policy': 'same-origin',
    });
  });
  app.register(fastifyStatic, { root: join(import.meta.dirname, 'page'), cacheControl: false });
  app.get('/healthz', async () => ({ ok: true }));
};

export const createPracticeServer = (options: PracticeOptions): PracticeServer => {
  const practice = createPractice(options);
  const presence = createPresence(practice.events);
  const app = fastify({
    logger: false,
    bodyLimit: limits.fileBytes + 1024 * 1024,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: 500 },
  });
  app.setErrorHandler((error, _request, reply) => {
    const status =
      error instanceof Refusal ? error.code : ((error as { statusCode?: number }).statusCode ?? 500);
    const message = error instanceof Error ? error.message : String(error);
    if (status >= 500) practice.log.error({ err: error }, 'a request failed');
    return reply.code(status).send({ ok: false, error_code: status, description: message });
  });
  registerGuard(app, options.nameForBot);
  registerParsers(app);
  registerBotApi(app, practice, presence);
  registerEventRoutes(app, practice, presence);
  registerPeopleRoutes(app, practice);
  registerMessageRoutes(app, practice);
  registerTestRoutes(app, practice);
  registerPage(app);

  let closing: Promise<void> | undefined;
  const close = async () => {
    practice.updates.close();
    await app.close();
    presence.close();
    practice.close();
  };
  return {
    app,
    practice,
    listen: (port, host = '127.0.0.1') => app.listen({ port, host }),
    close: () => (closing ??= close()),
  };
};
