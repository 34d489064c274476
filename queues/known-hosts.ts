import type { Redis } from 'ioredis';
import { gatewayHost, type QueueKind, queueKinds } from './catalog.ts';
import { queueName, reportsQueue } from './connection.ts';
import { readRollCall } from './roll-call.ts';

/**
 * Which hosts have queues. A host whose workers are all gone is not in the roll call, and its queues are the ones to look
 * at: so every host is remembered for a week after its last answer.
 */

const hostsKey = (instance: string): string => `${instance}:hosts`;
const remembered = 7 * 24 * 3_600_000;

/** The hosts, in order of their names. */
export const readKnownHosts = async (redis: Redis, instance: string, now: number): Promise<string[]> => {
  const key = hostsKey(instance);
  const present = new Set((await readRollCall(redis, instance, now)).map(({ host }) => host));
  for (const host of present) await redis.zadd(key, now, host);
  await redis.zremrangebyscore(key, '-inf', now - remembered);
  return (await redis.zrange(key, '0', '-1')).sort();
};

export type KnownQueue = { name: string; kind: QueueKind | typeof reportsQueue; host: string | null };

/** Every queue there is: the workers' for each host, the gateway's, and the reports on their way to the bot. */
export const queuesOf = (hosts: readonly string[]): KnownQueue[] => [
  ...hosts.flatMap((host) =>
    queueKinds
      .filter((kind) => kind !== 'tunnel')
      .map((kind): KnownQueue => ({ name: queueName(kind, host), kind, host })),
  ),
  { name: queueName('tunnel', gatewayHost), kind: 'tunnel', host: gatewayHost },
  { name: reportsQueue, kind: reportsQueue, host: null },
];
