import type { Redis } from 'ioredis';
import { sideEffect } from '../shared/failpoint.ts';

/**
 * Cancelling an operation that a worker may be at: a key that stays, for a job that has not begun, and a word
 * to all workers, for one that has.
 */

const cancelKey = (instance: string, operationId: string): string => `${instance}:cancel:${operationId}`;
export const cancelChannel = (instance: string): string => `${instance}:cancellations`;

const lifetimeSeconds = 24 * 3_600;

export const requestCancellation = async (
  redis: Redis,
  instance: string,
  operationId: string,
): Promise<void> => {
  await sideEffect('redis: note a cancellation', () =>
    redis.set(cancelKey(instance, operationId), '1', 'EX', lifetimeSeconds),
  );
  await sideEffect('redis: tell of a cancellation', () =>
    redis.publish(cancelChannel(instance), operationId),
  );
};

export const isCancelled = async (redis: Redis, instance: string, operationId: string): Promise<boolean> =>
  (await redis.exists(cancelKey(instance, operationId))) === 1;
