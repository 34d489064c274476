import type { Redis } from 'ioredis';
import {
  type GatewayEntry,
  gatewayWritesEvery,
  leaveGatewayStatus,
  writeGatewayStatus,
} from '../../../queues/gateway-status.ts';
import { redisNow } from '../../../queues/lately.ts';
import type { Log } from '../../../shared/log.ts';

/** Writes the gateway's status into Redis every ten seconds and at every change. Redis may be away: it is told later. */
export const createAnnouncer = (options: {
  redis: Redis;
  instance: string;
  self: Pick<GatewayEntry, 'gatewayId' | 'pid' | 'startedAt'>;
  status: () => GatewayEntry['tunnel'];
  log: Log;
}) => {
  const { redis, instance, self, status, log } = options;
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> = Promise.resolve();
  const write = async (): Promise<void> => {
    try {
      const at = new Date(await redisNow(redis)).toISOString();
      await writeGatewayStatus(redis, instance, { ...self, at, tunnel: status() });
    } catch (err) {
      log.debug({ err }, 'could not write the gateway’s status');
    }
  };
  const now = (): void => {
    writing = writing.then(write); // one after another: the last word is the newest
  };
  return {
    now,
    begin(): void {
      now();
      // The first word may come before the connection.
      redis.on('ready', now);
      timer = setInterval(now, gatewayWritesEvery);
    },
    async close(): Promise<void> {
      clearInterval(timer);
      redis.off('ready', now);
      await writing;
      await leaveGatewayStatus(redis, instance, self.gatewayId).catch((err: unknown) => {
        log.debug({ err }, 'Redis is away; the entry ends by its silence');
      });
    },
  };
};
