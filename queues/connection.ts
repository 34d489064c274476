import { Redis } from 'ioredis';
import { withDeadline } from '../shared/lifecycle.ts';
import { type Log, redactText } from '../shared/log.ts';

/**
 * Producers must fail at once while Redis is away, consumers and subscribers must wait for it. ioredis' own
 * delay between two tries grows to 20 s; ours stays short, so that work resumes soon after Redis is back.
 */
export type ConnectionRole = 'producer' | 'consumer' | 'subscriber';

const longestRetryDelay = 2_000;

const optionsFor = (role: ConnectionRole) => ({
  maxRetriesPerRequest: role === 'producer' ? 1 : null,
  enableOfflineQueue: role !== 'producer',
  retryStrategy: (times: number) => Math.min(50 * 2 ** Math.min(times, 10), longestRetryDelay),
  connectTimeout: 5_000,
  ...(role === 'producer' ? { commandTimeout: 5_000 } : {}),
});

export const connectRedis = (url: string, role: ConnectionRole, log: Log): Redis => {
  const redis = new Redis(url, optionsFor(role));
  let away = false;
  redis.on('error', (error) => {
    // One line per outage, not one per try.
    if (!away) log.warn({ role, reason: redactText(error.message) }, 'Redis is away');
    away = true;
  });
  redis.on('ready', () => {
    if (away) log.info({ role }, 'Redis is back');
    away = false;
  });
  return redis;
};

/** Resolves once the connection can be used; Redis may be away for as long as it likes. */
export const whenReady = (redis: Redis): Promise<void> =>
  redis.status === 'ready'
    ? Promise.resolve()
    : new Promise((resolve) => redis.once('ready', () => resolve()));

/** `quit` waits for an answer that a dead Redis never gives. */
export const closeRedis = async (redis: Redis): Promise<void> => {
  if (redis.status === 'end') return;
  try {
    await withDeadline(redis.quit(), 1_000, 'leaving Redis');
  } catch {
    redis.disconnect(); // what could not be said goodbye to is simply left
  }
};

/** Queue names: `lifecycle.local`, one per kind of work and host. BullMQ forbids colons. */
export const queueName = (kind: string, host: string): string => `${kind}.${host}`;
export const reportsQueue = 'reports';

/** How long finished jobs stay: longer than relay and sweeper can lag, so that a late add runs nothing twice. */
export const keptJobs = { age: 24 * 3_600, count: 10_000 };

/** Milliseconds from an error of Redis to a consumer's next try; BullMQ's own are fifteen seconds of standing still. */
export const runRetryDelay = 2_000;
