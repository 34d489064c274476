import { closeRedis, connectRedis } from '../../queues/connection.ts';
import { envOrExit, runService } from '../../shared/lifecycle.ts';
import { createLog } from '../../shared/log.ts';
import { createGatewayApp } from './app.ts';
import { parseGatewayEnv } from './env.ts';
import { createTunnelProcess } from './tunnel/start.ts';

/** Milliseconds; a Redis that is deaf holds up nobody's end. */
const goodbye = 300;

const env = envOrExit(() => parseGatewayEnv(process.env));
const log = createLog('gateway', env.LOG_LEVEL);

await runService(log, async (lifecycle) => {
  const { REDIS_URL: redisUrl, INSTANCE: instance } = env;
  const redis = connectRedis(redisUrl, 'producer', log);
  lifecycle.onShutdown('Redis', () => closeRedis(redis), goodbye);
  const { tunnel, begin } = createTunnelProcess({ env, instance, redis, redisUrl, lifecycle, log });
  const app = createGatewayApp({
    redis,
    instance,
    log,
    env,
    tunnel: tunnel.status,
    publicOrigin: tunnel.publicOrigin,
  });
  lifecycle.onShutdown('web server', () => app.close());
  const url = await app.listen({ port: env.GATEWAY_PORT, host: env.GATEWAY_BIND_ADDRESS });
  log.info({ url }, 'the gateway listens');
  await begin();
});
