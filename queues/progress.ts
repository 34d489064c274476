import type { Redis } from 'ioredis';
import { sideEffect } from '../shared/failpoint.ts';
import type { Log } from '../shared/log.ts';
import { type Progress, progress } from './catalog.ts';
import { closeRedis, connectRedis, whenReady } from './connection.ts';
import { createSeal, type Seal } from './seal.ts';

/** Steps on their way to the chat, sealed, over pub/sub: whoever is not listening misses them, and that is fine. */

const channel = (instance: string): string => `${instance}:progress`;

type Outlet = { redis: Redis; instance: string; seal: Seal };

export const publishProgress = async ({ redis, instance, seal }: Outlet, step: Progress): Promise<void> => {
  const sealed = seal.seal('progress', [], Buffer.from(JSON.stringify(step)));
  await sideEffect('redis: tell a step', () => redis.publish(channel(instance), sealed));
};

type Options = { redisUrl: string; instance: string; linkSecret: string; log: Log };

export const subscribeProgress = (
  { redisUrl, instance, linkSecret, log }: Options,
  onProgress: (step: Progress) => void,
): { ready: Promise<void>; close(): Promise<void> } => {
  const redis = connectRedis(redisUrl, 'subscriber', log);
  const seal = createSeal(linkSecret, instance);
  const take = (sealed: Buffer): void => {
    try {
      onProgress(progress.parse(JSON.parse(seal.open('progress', [], sealed).toString())));
    } catch (err) {
      log.warn({ err }, 'a step of work was not understood');
    }
  };
  redis.on('messageBuffer', (_channel: Buffer, sealed: Buffer) => take(sealed));
  const ready = redis.subscribe(channel(instance)).then(() => whenReady(redis));
  ready.catch((err) => log.warn({ err }, 'progress cannot be followed'));
  return { ready, close: () => closeRedis(redis) };
};
