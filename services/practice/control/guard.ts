import type { FastifyInstance } from 'fastify';
import { Refusal } from '../refusal.ts';

/**
 * The server listens on loopback, but every page in this machine's browsers can reach loopback too: by its
 * address, or by a name it points there (DNS rebinding). So only loopback names are answered, and only to
 * programs and to our own page. A bot in another container calls it by a name: that way leads to the Bot API alone,
 * which asks for the token, and not to what people and tests do.
 */

const loopbackHost = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?$/i;

const forBot = /^\/(?:file\/)?bot\d/;

export const registerGuard = (app: FastifyInstance, nameForBot?: string): void => {
  const botsHost = nameForBot === undefined ? null : new URL(nameForBot).host;
  app.addHook('onRequest', async (request) => {
    const { host = '', origin, 'sec-fetch-site': site } = request.headers;
    const isBots = host === botsHost && forBot.test(request.url) && site === undefined;
    if (!isBots && !loopbackHost.test(host))
      throw new Refusal(403, 'Forbidden: this is no name of this machine');
    if (origin !== undefined && origin !== `http://${host}`) {
      throw new Refusal(403, 'Forbidden: another site may not use the practice chat');
    }
    const foreign = site === 'cross-site' || site === 'same-site';
    const openingThePage = request.method === 'GET' && request.url === '/';
    if (foreign && !openingThePage) {
      throw new Refusal(403, 'Forbidden: another site may not use the practice chat');
    }
  });
};
