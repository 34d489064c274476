import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { BackupRefusal } from './refusal.ts';

/**
 * What Redis holds is from after the backup: jobs of operations that the restored database does not know, and fences
 * that would keep its VMs' next operations from running. All of it is made again from the database.
 */

type Target = { url: string | undefined; dataDir: string; instance: string };

/** The Redis of scripts/start, where one has run in this folder. */
const findOwn = (dataDir: string): string | null => {
  const path = join(dataDir, 'redis', 'berth.json');
  if (!existsSync(path)) return null;
  const { port, password } = JSON.parse(readFileSync(path, 'utf8')) as { port: number; password: string };
  return `redis://:${password}@127.0.0.1:${port}`;
};

const connect = async (url: string): Promise<Redis | null> => {
  const redis = new Redis(url, { lazyConnect: true, connectTimeout: 5_000, retryStrategy: null });
  redis.on('error', () => undefined); // `connect` rejects with the same
  try {
    await redis.connect();
    return redis;
  } catch {
    redis.disconnect();
    return null;
  }
};

const forgetInstance = async (redis: Redis, instance: string): Promise<void> => {
  // An instance's name has letters, digits and hyphens only: nothing of it is a pattern.
  for await (const keys of redis.scanStream({ match: `${instance}:*`, count: 1_000 })) {
    if (keys.length > 0) await redis.unlink(keys as string[]);
  }
};

/** Throws a BackupRefusal where REDIS_URL is set and does not answer. */
export const forgetJobs = async ({ url, dataDir, instance }: Target): Promise<void> => {
  const address = url ?? findOwn(dataDir);
  if (address === null) return;
  const redis = await connect(address);
  if (redis !== null) {
    try {
      await forgetInstance(redis, instance);
    } finally {
      redis.disconnect();
    }
    return;
  }
  if (url !== undefined) {
    throw new BackupRefusal(
      'The Redis of REDIS_URL does not answer. What it holds is from after the backup and must go: start it, or leave REDIS_URL empty if it is gone for good. Nothing was changed.',
    );
  }
  rmSync(join(dataDir, 'redis', 'appendonlydir'), { recursive: true, force: true });
};
