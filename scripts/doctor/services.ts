import { Redis } from 'ioredis';
import { withDeadline } from '../../shared/lifecycle.ts';
import { type Finding, failure, ok, warning } from './check.ts';
import { checkProgram } from './host.ts';

/** What Berth talks to: Redis and Telegram. */

const setting = async (redis: Redis, name: string): Promise<string> => {
  const [, value] = (await redis.config('GET', name)) as [string, string];
  return value;
};

export const checkRedis = async (url: string | undefined): Promise<Finding[]> => {
  if (url === undefined)
    return [await checkProgram('redis-server', 'REDIS_URL is empty, so Berth runs its own')];
  const redis = new Redis(url, { lazyConnect: true, retryStrategy: null, connectTimeout: 5_000 });
  redis.on('error', () => undefined); // the connecting below says so
  try {
    await withDeadline(redis.connect(), 6_000, 'connecting');
    const policy = await setting(redis, 'maxmemory-policy');
    const appendOnly = await setting(redis, 'appendonly');
    return [
      policy === 'noeviction'
        ? ok('Redis memory policy', policy)
        : failure('Redis memory policy', policy, 'Jobs may vanish: set maxmemory-policy noeviction.'),
      appendOnly === 'yes'
        ? ok('Redis persistence', 'append-only file')
        : warning(
            'Redis persistence',
            'no append-only file',
            'Nothing is lost without it, but a restart takes longer to recover: set appendonly yes.',
          ),
    ];
  } catch {
    return [
      failure(
        'Redis',
        'REDIS_URL does not answer',
        'Start it, or empty REDIS_URL to have Berth run its own.',
      ),
    ];
  } finally {
    redis.disconnect();
  }
};

export const checkTelegram = async (token: string | undefined, apiRoot: string): Promise<Finding> => {
  if (token === undefined) return ok('Telegram', 'no token: the practice chat is used');
  const answer = await fetch(`${apiRoot}/bot${token}/getMe`, { signal: AbortSignal.timeout(10_000) }).catch(
    () => null,
  );
  if (answer === null) {
    return failure(
      'Telegram',
      `${apiRoot} does not answer`,
      'Look at the network of this machine, or set TELEGRAM_API_ROOT.',
    );
  }
  const { ok: accepted, result } = (await answer.json()) as { ok: boolean; result?: { username?: string } };
  if (!accepted) return failure('Telegram', 'the token is not accepted', 'Ask @BotFather for the right one.');
  // Telegram tells the time with every answer.
  const skew = Math.abs(Date.now() - Date.parse(answer.headers.get('date') ?? ''));
  return skew > 60_000
    ? warning(
        'Telegram',
        `@${result?.username}, but the clock is ${Math.round(skew / 1_000)} s off`,
        'Set the clock (timedatectl set-ntp true).',
      )
    : ok('Telegram', `@${result?.username}`);
};
