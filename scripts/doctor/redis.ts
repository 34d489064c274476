import { execa } from 'execa';
import { Redis } from 'ioredis';
import { withDeadline } from '../../shared/lifecycle.ts';
import { type Finding, failure, ok, warning } from './check.ts';

/** The Redis that REDIS_URL names, or the program that Berth runs one of its own with. */

const checkProgram = async (): Promise<Finding> => {
  const name = 'Redis';
  const version = await execa('redis-server', ['--version']).then(
    ({ stdout }) => /v=(\S+)/.exec(stdout)?.[1] ?? 'of an unknown version',
    () => null,
  );
  return version === null
    ? failure(name, 'no redis-server, and REDIS_URL is empty', './scripts/start installs it.')
    : ok(name, `redis-server ${version}; Berth runs its own`);
};

/** Null where the server lets nobody ask, as those of some providers. */
const setting = async (redis: Redis, name: string): Promise<string | null> => {
  const answer = (await redis.config('GET', name).catch(() => null)) as [string, string] | null;
  return answer?.[1] ?? null;
};

const judgePolicy = (policy: string | null): Finding => {
  const name = 'Redis memory policy';
  if (policy === null)
    return warning(name, 'the server does not say', 'See to it that maxmemory-policy is noeviction.');
  return policy === 'noeviction'
    ? ok(name, policy)
    : failure(name, policy, 'Jobs may vanish: set maxmemory-policy noeviction.');
};

const judgePersistence = (appendOnly: string | null): Finding => {
  const name = 'Redis persistence';
  if (appendOnly === 'yes') return ok(name, 'append-only file');
  const found = appendOnly === null ? 'the server does not say' : 'no append-only file';
  return warning(
    name,
    found,
    'Nothing is lost without it, but jobs wait longer after a restart: set appendonly yes.',
  );
};

const judgeVersion = (info: string): Finding => {
  const version = /redis_version:(\S+)/.exec(info)?.[1] ?? '';
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > 6 || (major === 6 && minor >= 2)
    ? ok('Redis', version)
    : failure('Redis', version || 'of an unknown version', 'Version 6.2 or newer is needed.');
};

export const checkRedis = async (url: string | undefined): Promise<Finding | Finding[]> => {
  if (url === undefined) return checkProgram();
  const redis = new Redis(url, { lazyConnect: true, retryStrategy: null, connectTimeout: 5_000 });
  let reason = 'no answer';
  redis.on('error', ({ message }: Error) => {
    reason = message;
  });
  try {
    await withDeadline(redis.connect(), 6_000, 'connecting');
    const info = await withDeadline(redis.info('server'), 5_000, 'INFO');
    const policy = await withDeadline(setting(redis, 'maxmemory-policy'), 5_000, 'CONFIG GET');
    const appendOnly = await withDeadline(setting(redis, 'appendonly'), 5_000, 'CONFIG GET');
    return [judgeVersion(info), judgePolicy(policy), judgePersistence(appendOnly)];
  } catch (error) {
    const refused = /NOAUTH|WRONGPASS|NOPERM/.test(String(error)) ? String(error) : reason;
    return failure(
      'Redis',
      `REDIS_URL does not answer as it should: ${refused}`,
      'Start it, correct REDIS_URL, or empty it to have Berth run its own.',
    );
  } finally {
    redis.disconnect();
  }
};
