import rateLimit from '@fastify/rate-limit';
import fastify, { type FastifyInstance } from 'fastify';
import type { Redis } from 'ioredis';
import type { Log } from '../../shared/log.ts';
import type { GatewayEnv } from './env.ts';
import { registerHostGuard } from './host-guard.ts';
import { registerInsight } from './insight.ts';
import type { TunnelGlance } from './metrics/gateway-metrics.ts';
import { createProxyTrust } from './proxies.ts';
import { registerTerminal } from './terminal/routes.ts';

export type GatewayDeps = {
  /** Fails at once while Redis is away: people are told so rather than kept waiting. */
  redis: Redis;
  instance: string;
  log: Log;
  env: GatewayEnv;
  tunnel: () => TunnelGlance;
  /** Under which origin requests may come in now, besides the gateway's own address. */
  publicOrigin: () => string;
};

/**
 * The gateway speaks HTTP with people. It has no way to Docker and none to the database: what it shows comes
 * over Redis and from the workers.
 */
export const createGatewayApp = (deps: GatewayDeps): FastifyInstance => {
  const { redis, instance, log, env, publicOrigin } = deps;
  const neighbour = env.CLOUDFLARED_METRICS;
  const proxies = createProxyTrust(env.TRUSTED_PROXIES, neighbour && new URL(neighbour).hostname);
  const app = fastify({
    logger: false,
    // Kept-alive connections of browsers and the tunnel would otherwise hold up the end of the process.
    forceCloseConnections: true,
    // What these say of where a request came from is believed: cloudflared, for one, is a neighbour on this machine.
    trustProxy: proxies.believes,
  });
  proxies.follow(app);
  registerHostGuard(app, {
    publicOrigin,
    bindAddress: env.GATEWAY_BIND_ADDRESS,
    metricsToken: env.METRICS_TOKEN,
  });
  // Counted per address; only routes that say so have a limit.
  app.register(rateLimit, { global: false });
  registerTerminal(app, { redis, instance, secret: env.LINK_SECRET, publicOrigin, log });
  registerInsight(app, deps);
  return app;
};
