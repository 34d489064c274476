import type { Redis } from 'ioredis';
import { type FirewallState, firewallState } from './host-facts.ts';

/**
 * The workers of a host share one firewall. What one of them found there a moment ago the others believe, so that the
 * rules are looked at once in an interval and not by every worker.
 */

const lookKey = (instance: string, host: string): string => `${instance}:firewall:${host}`;

/** What was found within the time that it was noted for; null when nobody has looked. */
export const readFirewallLook = async (
  redis: Redis,
  instance: string,
  host: string,
): Promise<FirewallState | null> => {
  const text = await redis.get(lookKey(instance, host));
  if (text === null) return null;
  return firewallState.safeParse(JSON.parse(text)).data ?? null; // another version's says nothing
};

/** `keep` in milliseconds. */
export const noteFirewallLook = async (
  redis: Redis,
  instance: string,
  host: string,
  state: FirewallState,
  keep: number,
): Promise<void> => {
  await redis.set(lookKey(instance, host), JSON.stringify(state), 'PX', keep);
};
