import type { Redis } from 'ioredis';
import { sideEffect } from '../shared/failpoint.ts';

/**
 * Redis' append-only file keeps what was deleted until it is written anew. Has Redis do that now, so that nothing of it is
 * on the disk any more; it happens beside everything else. Where there is no such file there is nothing to do. Throws while
 * Redis is writing it anew already, and where it does not let us.
 */
export const rewriteHistory = async (redis: Redis): Promise<void> => {
  const persistence = await redis.info('persistence');
  if (!/^aof_enabled:1/m.test(persistence)) return;
  await sideEffect('redis: write the history anew', () => redis.bgrewriteaof());
};
