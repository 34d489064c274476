import { setTimeout as sleep } from 'node:timers/promises';
import type { FirewallState } from '../../../queues/host-facts.ts';
import type { Log } from '../../../shared/log.ts';
import type { CallOptions, Engine } from '../docker/engine.ts';
import { engineStart } from '../docker/engine-start.ts';
import { removeOldProbes } from '../docker/probes.ts';
import { type Applied, applyRules, readResolvConf } from './apply.ts';
import { type Exception, formatException } from './may-reach.ts';
import { areReplaced, reachableResolvers } from './resolvers.ts';

/**
 * Sees that the rules stand: before anything starts in a life of the Docker engine, and again and again, because
 * whoever reloads the host's rules may wipe these too. Putting them in place costs no more than looking at them.
 */

export type Firewall = {
  /**
   * Resolves when the rules stand, or when it is clear that they cannot. Throws RetryableError `docker-unreachable`
   * while Docker is away.
   */
  ensure(options?: CallOptions & { fresh?: boolean }): Promise<void>;
  /** Null as long as nobody has looked. */
  known(): FirewallState | null;
  /** Begins to look by itself. */
  begin(): void;
  close(): Promise<void>;
};

export type FirewallOptions = {
  engine: Engine;
  instance: string;
  image: string;
  mayReach: readonly Exception[];
  /** What the workers of the host tell each other. */
  shared?: {
    read(): Promise<FirewallState | null>;
    /** `keep` in milliseconds. */
    note(state: FirewallState, keep: number): Promise<void>;
  };
  /** Called when what is known has changed. */
  onChanged?: () => void;
  /** Milliseconds between two looks of all workers of the host together. */
  every?: number;
  log: Log;
};

const usualInterval = 60_000;
/** Milliseconds in which rules that could not be put in place are not tried again for each VM. */
const tryAgainAfter = 30_000;
/** Something that nobody foresaw may pass. */
const tries = 3;
/** The image may be there by the next start. */
const passing: FirewallState['problem'][] = ['image-missing', 'nft-missing'];

type Look = { state: FirewallState; life: number | null; at: number };

/**
 * The rules as they are to be: with the DNS servers that VMs ask. These are read before anything is put in place: the
 * VMs of a worker that begins anew go on asking them.
 */
const createApplying = ({ engine, instance, image, mayReach }: FirewallOptions) => {
  const where = { engine, image };
  let hosts = '';
  let resolvers: string[] = [];

  const learn = async (resolvConf: string): Promise<void> => {
    const given = areReplaced(resolvConf) ? await readResolvConf(where, instance, 'bridge') : resolvConf;
    resolvers = reachableResolvers(given);
    hosts = resolvConf;
  };
  const apply = () => applyRules(where, { instance, mayReach, resolvers });

  return async (): Promise<Applied> => {
    if (hosts === '') await learn(await readResolvConf(where, instance, 'host'));
    const applied = await apply();
    if (applied.resolvConf === hosts || applied.resolvConf === '') return applied;
    await learn(applied.resolvConf);
    return apply();
  };
};

const isRootless = async (engine: Engine): Promise<boolean> => {
  const { SecurityOptions } = await engine.call('asking Docker about the host', (docker) => docker.info());
  return ((SecurityOptions ?? []) as string[]).some((option) => option.split(',')[0] === 'name=rootless');
};

export const createFirewall = (options: FirewallOptions): Firewall => {
  const { engine, instance, mayReach, shared, onChanged = () => {}, every = usualInterval, log } = options;
  const closing = new AbortController();
  const { signal } = closing;
  const apply = createApplying(options);
  let last: Look | null = null;
  let running: Promise<FirewallState> | null = null;

  const take = (state: FirewallState, life: number | null): FirewallState => {
    const before = last?.state;
    last = { state, life, at: performance.now() };
    if (JSON.stringify(before) === JSON.stringify(state)) return state;
    const { problem, detail } = state;
    if (problem === null) log.info('the rules for what VMs may reach stand');
    else log.warn({ problem, detail }, 'VMs are not held off the host and private networks');
    onChanged();
    return state;
  };

  const look = async (): Promise<FirewallState> => {
    const life = await engineStart(engine);
    await removeOldProbes(engine, instance);
    let applied = await apply();
    for (let more = tries - 1; more > 0 && applied.problem === 'failed'; more--) applied = await apply();
    if (applied.changed && last?.state.problem === null && last.life === life) {
      log.warn('the rules for what VMs may reach were gone or changed; they stand again');
    }
    const { detail } = applied;
    const problem = applied.problem ?? ((await isRootless(engine)) ? 'rootless' : null);
    const state = take({ problem, detail, mayReach: mayReach.map(formatException) }, life);
    await shared
      ?.note(state, every * 0.9)
      .catch((err: unknown) => log.debug({ err }, 'the look is not noted'));
    return state;
  };
  const lookOnce = (): Promise<FirewallState> => {
    running ??= look().finally(() => {
      running = null;
    });
    return running;
  };

  const holds = ({ state, life, at }: Look, now: number | null): boolean => {
    if (life !== now || passing.includes(state.problem)) return false;
    return state.problem === null || performance.now() - at < tryAgainAfter;
  };

  /** Believes another worker's look of a moment ago. */
  const lookAgain = async (): Promise<void> => {
    const known = await shared?.read().catch(() => null); // Redis is away: then by ourselves
    if (known && last !== null) take(known, last.life);
    else await lookOnce();
  };
  const keepLooking = async (): Promise<void> => {
    await lookOnce().catch((err: unknown) => log.debug({ err }, 'the rules could not be looked at yet'));
    while (!signal.aborted) {
      await sleep(every, undefined, { signal }).catch(() => 'closing');
      if (signal.aborted) return;
      await lookAgain().catch((err: unknown) => log.debug({ err }, 'the rules could not be looked at'));
    }
  };
  let looking: Promise<void> = Promise.resolve();

  return {
    async ensure({ fresh = false, ...callOptions } = {}) {
      if (!fresh && last !== null && holds(last, await engineStart(engine, callOptions))) return;
      await lookOnce();
    },
    known: () => last?.state ?? null,
    begin() {
      looking = keepLooking();
    },
    async close() {
      closing.abort();
      await looking;
    },
  };
};
