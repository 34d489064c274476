import type { Redis } from 'ioredis';
import { sideEffect } from '../shared/failpoint.ts';
import type { Log } from '../shared/log.ts';
import { type Progress, progress } from './catalog.ts';
import { closeRedis, connectRedis, whenReady } from './connection.ts';

/** Steps on their way to the chat, over pub/sub: whoever is not listening misses them, and that is fine. */

const channel = (instance: string): string => `${instance}:progress`;

export const publishProgress = async (redis: Redis, instance: string, step: Progress): Promise<void> => {
  await sideEffect('redis: tell a step', () => redis.publish(channel(instance), JSON.stringify(step)));
};

type Options = { redisUrl: string; instance: string; log: Log };

export const subscribeProgress = (
  { redisUrl, instance, log }: Options,
  onProgress: (step: Progress) => void,
): { ready: Promise<void>; close(): Promise<void> } => {
  const redis = connectRedis(redisUrl, 'subscriber', log);
  redis.on('message', (_channel, text) => {
    const step = progress.safeParse(parseJson(text));
    if (step.success) onProgress(step.data);
    else log.warn('a step of work was not understood');
  });
  const ready = redis.subscribe(channel(instance)).then(() => whenReady(redis));
  ready.catch((err) => log.warn({ err }, 'progress cannot be followed'));
  return { ready, close: () => closeRedis(redis) };
};

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // refused by the schema, like everything that is no step
  }
};
