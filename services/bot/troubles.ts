import type { RedisState } from '../../queues/redis-state.ts';
import type { RollCallEntry } from '../../queues/roll-call.ts';

/**
 * What keeps work from being done right now: Redis, a host's Docker, or that no worker is there. Known as of a moment ago,
 * for people to read; nothing is decided by it. Durations are measured without the wall's clock, which may jump.
 */

export type Trouble = Exclude<RedisState, 'answers'> | 'docker-away' | 'no-worker';

export type Troubles = {
  /** What is in the way of that host's work; null where nothing is known to be. */
  of(host: string): Trouble | null;
  redis(): RedisState;
};

type Dependencies = {
  redis: () => RedisState;
  /** The roll call, and the hosts that must have somebody in it. */
  workers: () => readonly RollCallEntry[];
  hosts: readonly string[];
  now?: () => number;
};

/** Milliseconds. Workers answer the roll call every ten seconds: after a start, or a wiped Redis, that takes a while. */
const unheard = 15_000;
const every = 1_000;

export const createTroubles = (dependencies: Dependencies) => {
  const { redis, workers, hosts, now = () => performance.now() } = dependencies;
  const unheardSince = new Map<string, number>();

  const look = (): void => {
    for (const host of hosts) {
      const present = workers().some((worker) => worker.host === host);
      // Without Redis nobody can be heard of.
      if (present || redis() !== 'answers') unheardSince.delete(host);
      else if (!unheardSince.has(host)) unheardSince.set(host, now());
    }
  };
  const timer = setInterval(look, every);

  const troubles: Troubles = {
    redis,
    of(host) {
      const state = redis();
      if (state !== 'answers') return state;
      const present = workers().filter((worker) => worker.host === host);
      if (present.length > 0) return present.every(({ facts }) => facts === null) ? 'docker-away' : null;
      const since = unheardSince.get(host);
      return since !== undefined && now() - since >= unheard ? 'no-worker' : null;
    },
  };
  return { ...troubles, look, close: () => clearInterval(timer) };
};
