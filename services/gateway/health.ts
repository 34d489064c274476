import type { FastifyInstance } from 'fastify';
import type { Redis } from 'ioredis';
import { redisNow } from '../../queues/lately.ts';
import { readRollCall } from '../../queues/roll-call.ts';
import { withDeadline } from '../../shared/lifecycle.ts';
import type { TunnelGlance } from './metrics/gateway-metrics.ts';

/**
 * `/healthz`: the process lives, and should be started anew where it does not say so. `/readyz`: people can use it; a
 * fault here is somebody else's, and starting the gateway anew would not help.
 */

export type HealthDeps = { redis: Redis; instance: string; tunnel: () => TunnelGlance };

type Check = { ok: boolean; [figure: string]: boolean | number | string };

const deadline = 2_000;

const checkRedis = async (redis: Redis): Promise<Check> => {
  if (redis.status !== 'ready') return { ok: false, problem: 'Redis is away' };
  try {
    await withDeadline(redis.ping(), deadline, 'Redis');
    return { ok: true };
  } catch {
    return { ok: false, problem: 'Redis does not answer' }; // which says all there is to say
  }
};

const checkWorkers = async ({ redis, instance }: HealthDeps): Promise<Check> => {
  if (redis.status !== 'ready') return { ok: false, problem: 'not known without Redis' };
  try {
    const reading = redisNow(redis).then((now) => readRollCall(redis, instance, now));
    const present = await withDeadline(reading, deadline, 'the roll call');
    const problem = present.length === 0 ? { problem: 'no worker answers' } : {};
    return { ok: present.length > 0, count: present.length, ...problem };
  } catch {
    return { ok: false, problem: 'not known without Redis' };
  }
};

const checkTunnel = ({ tunnel }: HealthDeps): Check => {
  const { wanted, connected } = tunnel();
  const ok = connected || !wanted;
  return { ok, wanted, connected, ...(ok ? {} : { problem: 'the tunnel is not connected' }) };
};

export const registerHealth = (app: FastifyInstance, deps: HealthDeps): void => {
  app.get('/healthz', async (_request, reply) => {
    reply.header('cache-control', 'no-store');
    return { status: 'ok' };
  });
  app.get('/readyz', async (_request, reply) => {
    const [redis, workers] = await Promise.all([checkRedis(deps.redis), checkWorkers(deps)]);
    const checks = { redis, workers, tunnel: checkTunnel(deps) };
    const ready = Object.values(checks).every(({ ok }) => ok);
    return reply
      .code(ready ? 200 : 503)
      .header('cache-control', 'no-store')
      .send({ ready, checks });
  });
};
