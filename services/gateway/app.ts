import fastify, { type FastifyInstance } from 'fastify';

/**
 * The gateway speaks HTTP with people. It has no way to Docker and none to the database: what it shows comes
 * over Redis and from the workers.
 */
export const createGatewayApp = (): FastifyInstance => {
  // Kept-alive connections of browsers and the tunnel would otherwise hold up the end of the process.
  const app = fastify({ logger: false, forceCloseConnections: true });
  app.get('/healthz', async () => ({ status: 'ok' }));
  return app;
};
