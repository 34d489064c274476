import type { Redis } from 'ioredis';
import { sideEffect } from '../shared/failpoint.ts';

/** Bytes that travel beside a job because whoever looks at the queues must not read them. Gone after a day. */

const key = (instance: string, name: string): string => `${instance}:private:${name}`;
const lifetimeSeconds = 24 * 3_600;

export const putPrivate = async (
  redis: Redis,
  instance: string,
  name: string,
  bytes: Buffer,
): Promise<void> => {
  await sideEffect('redis: put a private value', () =>
    redis.set(key(instance, name), bytes, 'EX', lifetimeSeconds),
  );
};

/** Null where there is nothing. The value stays: the same job may be done a second time. */
export const readPrivate = (redis: Redis, instance: string, name: string): Promise<Buffer | null> =>
  redis.getBuffer(key(instance, name));

export const forgetPrivate = async (redis: Redis, instance: string, ...names: string[]): Promise<void> => {
  await sideEffect('redis: forget private values', () =>
    redis.del(...names.map((name) => key(instance, name))),
  );
};
