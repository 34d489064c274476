import type { Redis } from 'ioredis';
import { sideEffect } from '../shared/failpoint.ts';
import { SupersededError } from './errors.ts';

/**
 * A worker that lost its job may still be at it while another does it again, or while a newer operation runs. The
 * fence holds the epoch of the VM's newest operation; whoever has an older one must touch nothing.
 */

const fenceKey = (instance: string, vmId: string): string => `${instance}:fence:${vmId}`;

/** The fence never goes down, in whatever order operations are added or added again. */
const raise = `
local current = tonumber(redis.call('GET', KEYS[1]) or '0')
if tonumber(ARGV[1]) > current then redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2]) end
return 1`;

/** Longer than any operation can last; a VM's next operation sets it again. */
const lifetimeSeconds = 7 * 24 * 3_600;

export const raiseFence = async (
  redis: Redis,
  instance: string,
  vmId: string,
  epoch: number,
): Promise<void> => {
  await sideEffect('redis: raise a fence', () =>
    redis.eval(raise, 1, fenceKey(instance, vmId), epoch, lifetimeSeconds),
  );
};

/** Throws SupersededError when the VM has a newer operation. A fence that Redis lost stops nobody. */
export const checkFence = async (
  redis: Redis,
  instance: string,
  vmId: string,
  epoch: number,
): Promise<void> => {
  const current = await redis.get(fenceKey(instance, vmId));
  if (current !== null && Number(current) > epoch) {
    throw new SupersededError(`epoch ${epoch} of VM ${vmId} is over, ${current} has begun`);
  }
};
