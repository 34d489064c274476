import type { Redis } from 'ioredis';
import { sideEffect } from '../shared/failpoint.ts';
import type { Log } from '../shared/log.ts';
import { type Seal, UnreadableError } from './seal.ts';

/** Bytes that travel beside a job, sealed, because whoever looks at the queues must not read them. Gone after a day. */

type Place = { redis: Redis; instance: string; seal: Seal; log: Log };

const key = (instance: string, name: string): string => `${instance}:private:${name}`;
const lifetimeSeconds = 24 * 3_600;

export const putPrivate = async (
  { redis, instance, seal }: Place,
  name: string,
  bytes: Buffer,
): Promise<void> => {
  const sealed = seal.seal('private value', [name], bytes);
  await sideEffect('redis: put a private value', () =>
    redis.set(key(instance, name), sealed, 'EX', lifetimeSeconds),
  );
};

/**
 * Null where there is nothing, and where there is something that does not open: to whoever waits for it that is the same,
 * and the log tells why. The value stays: the same job may be done a second time.
 */
export const readPrivate = async (
  { redis, instance, seal, log }: Place,
  name: string,
): Promise<Buffer | null> => {
  const sealed = await redis.getBuffer(key(instance, name));
  if (sealed === null) return null;
  try {
    return seal.open('private value', [name], sealed);
  } catch (err) {
    if (!(err instanceof UnreadableError)) throw err;
    log.error({ err, name }, 'a private value cannot be read');
    return null;
  }
};

export const forgetPrivate = async (redis: Redis, instance: string, ...names: string[]): Promise<void> => {
  await sideEffect('redis: forget private values', () =>
    redis.del(...names.map((name) => key(instance, name))),
  );
};
