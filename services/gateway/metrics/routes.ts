import type { FastifyInstance } from 'fastify';
import type { Redis } from 'ioredis';
import type { Registry } from 'prom-client';
import { redisNow } from '../../../queues/lately.ts';
import { newRun, type ProcessFigures, readFigures, takeFigures } from '../../../queues/metrics.ts';
import { withDeadline } from '../../../shared/lifecycle.ts';
import type { Log } from '../../../shared/log.ts';
import { bearsToken, isFromThisMachine } from './access.ts';
import { contentType, mergeFigures } from './merge.ts';

/** GET /metrics for Prometheus: the gateway's figures, and those that the other processes wrote into Redis. */

export type MetricsDeps = {
  redis: Redis;
  instance: string;
  registry: Registry;
  /** METRICS_TOKEN; without one only this machine is answered. */
  token: string | undefined;
  log: Log;
};

const deadline = 3_000;

export const registerMetrics = (app: FastifyInstance, deps: MetricsDeps): void => {
  const { redis, instance, registry, token, log } = deps;
  const name = { run: newRun(), process: 'gateway', host: null } as const;

  /** Without Redis there is still something to tell: that it is away, for one. */
  const ofOthers = async (): Promise<ProcessFigures[]> => {
    try {
      if (redis.status !== 'ready') return [];
      const reading = redisNow(redis).then((now) => readFigures(redis, instance, now));
      return await withDeadline(reading, deadline, 'the figures');
    } catch (err) {
      log.debug({ err }, 'the other processes’ figures could not be read');
      return [];
    }
  };

  app.get('/metrics', async (request, reply) => {
    if (!bearsToken(request, token) && !isFromThisMachine(request)) {
      return reply
        .code(403)
        .type('text/plain')
        .send('The figures are for this machine, or with METRICS_TOKEN.\n');
    }
    const [own, others] = await Promise.all([takeFigures(registry, name), ofOthers()]);
    return reply
      .header('cache-control', 'no-store')
      .type(contentType)
      .send(await mergeFigures([own, ...others]));
  });
};
