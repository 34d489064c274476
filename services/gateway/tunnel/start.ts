import type { Redis } from 'ioredis';
import { nanoid } from 'nanoid';
import { gatewayHost } from '../../../queues/catalog.ts';
import { createConsumer } from '../../../queues/consumer.ts';
import type { Lifecycle } from '../../../shared/lifecycle.ts';
import type { Log } from '../../../shared/log.ts';
import { addressOf } from './address.ts';
import { createAnnouncer } from './announce.ts';
import type { TunnelEnv } from './env.ts';
import { openTunnelProcessor } from './processor.ts';
import { createTunnel, type Tunnel } from './tunnel.ts';

/** The tunnel with all that belongs to it: its jobs, and what the others hear of it through Redis. */

export type TunnelProcessDeps = {
  env: TunnelEnv & { GATEWAY_PORT: number; GATEWAY_BIND_ADDRESS: string; LINK_SECRET: string };
  instance: string;
  redis: Redis;
  redisUrl: string;
  lifecycle: Lifecycle;
  log: Log;
};

/** Wishes only wait, and share the work: whoever were not taken at once would have the others' time to wait in addition. */
const concurrency = { tunnel: 256 };

/**
 * Milliseconds. The process ends within two seconds, also while Redis is away or deaf: then nothing can be handed back or
 * taken leave of. Whoever is next takes such a job once its lock has run out, and an entry ends by its silence.
 */
const grace = 250;
const jobsDeadline = 1_000;
const statusDeadline = 300;

/** Call it before the web server is made, which asks `publicOrigin`; then `begin` when it listens. */
export const createTunnelProcess = ({
  env,
  instance,
  redis,
  redisUrl,
  lifecycle,
  log,
}: TunnelProcessDeps) => {
  const tunnel: Tunnel = createTunnel({
    env,
    instance,
    address: addressOf(env.GATEWAY_BIND_ADDRESS, env.GATEWAY_PORT),
    log,
    onChange: () => announcer.now(),
  });
  const announcer = createAnnouncer({
    redis,
    instance,
    self: { gatewayId: nanoid(), pid: process.pid, startedAt: new Date().toISOString() },
    status: tunnel.status,
    log,
  });
  return {
    tunnel,
    async begin(): Promise<void> {
      lifecycle.onShutdown('tunnel’s status', announcer.close, statusDeadline);
      lifecycle.onShutdown('tunnel', tunnel.close);
      announcer.begin();
      const consumer = createConsumer({
        redisUrl,
        instance,
        host: gatewayHost,
        linkSecret: env.LINK_SECRET,
        concurrency,
        processors: { openTunnel: openTunnelProcessor(tunnel) },
        log,
      });
      // Redis may be away for as long as it likes: pages say so by themselves.
      consumer.ready.catch((err: unknown) => log.debug({ err }, 'jobs of the tunnel are not taken'));
      // A wish that waits for the tunnel is handed back; another gateway, or the next start, takes it.
      lifecycle.onShutdown('tunnel’s jobs', () => consumer.close(grace), jobsDeadline);
      await tunnel.begin();
    },
  };
};
