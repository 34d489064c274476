import type { FastifyInstance } from 'fastify';
import type { Redis } from 'ioredis';
import type { Log } from '../../shared/log.ts';
import { registerDashboard } from './dashboard/routes.ts';
import { registerHealth } from './health.ts';
import { createGatewayMetrics, type TunnelGlance } from './metrics/gateway-metrics.ts';
import { registerMetrics } from './metrics/routes.ts';
import { createQueueSet } from './queue-set.ts';

/** What lets administrators and programs look into Berth: the dashboard of the queues, the figures, the health checks. */

export type InsightDeps = {
  /** Fails at once while Redis is away. */
  redis: Redis;
  instance: string;
  env: { DASHBOARD_WRITE: 'on' | 'off'; METRICS_TOKEN?: string | undefined };
  tunnel: () => TunnelGlance;
  /** Under which origin people know us now. */
  publicOrigin: () => string;
  log: Log;
};

export const registerInsight = (app: FastifyInstance, deps: InsightDeps): void => {
  const { redis, instance, env, tunnel, publicOrigin, log } = deps;
  const write = env.DASHBOARD_WRITE === 'on';
  const queues = createQueueSet({ redis, instance, log });
  registerHealth(app, { redis, instance, tunnel });
  registerDashboard(app, { redis, instance, queues, write, publicOrigin, log });
  const registry = createGatewayMetrics({ redis, instance, queues, tunnel, log });
  registerMetrics(app, { redis, instance, registry, token: env.METRICS_TOKEN, log });
};
