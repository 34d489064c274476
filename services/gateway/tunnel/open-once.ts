import { setTimeout as delay } from 'node:timers/promises';
import type { Log } from '../../../shared/log.ts';
import { type Child, type ChildEnv, startChild } from './child.ts';
import { readLine, withoutPaths } from './log-lines.ts';
import { ask, originOf } from './metrics-port.ts';
import type { Probe } from './probe.ts';
import { type ProblemCode, TunnelProblem } from './problems.ts';

/** One run of cloudflared: from its start until the public address really answers, and then until it ends. */

export type Plan =
  | { way: 'quick'; protocol: Protocol }
  | { way: 'named'; protocol: Protocol; origin: string; token: string };
/** `auto`: QUIC, and after a while HTTP/2. */
export type Protocol = 'auto' | 'http2';

export type Running = {
  origin: string;
  /** Whether an edge connection stands now. */
  isConnected(): Promise<boolean>;
  /** Resolves when cloudflared has ended, with what went wrong last. */
  ended: Promise<TunnelProblem>;
  /** What it complained about last, while it runs. */
  problem(): TunnelProblem | null;
  /** Calls at lines that may mean another state, and at the end; gives what takes the listener off again. */
  onChange(listener: () => void): () => void;
  stop(): Promise<void>;
};

export type OpenDeps = {
  program: string;
  instance: string;
  /** What a quick tunnel leads to, `http://127.0.0.1:8080`. */
  target: string;
  childEnv: ChildEnv;
  probe: Probe;
  log: Log;
};

/** Two failed dials with QUIC and no connection yet: this network lets no UDP through. */
const quicTries = 2;
/** A tunnel made a second ago may be refused once or twice until all of the edge knows it. */
const refusals = 3;
/** Words that say less than others: they never replace what was said before. */
const vague: ReadonlySet<ProblemCode> = new Set(['service-fault', 'connection-lost', 'edge-unreachable']);

const argsOf = (plan: Plan, target: string) => (config: string) => [
  ...['tunnel', '--no-autoupdate', '--config', config],
  // Port 0: any free one; cloudflared says which. Only loopback: this port also shows its configuration.
  ...['--metrics', '127.0.0.1:0', '--grace-period', '2s'],
  ...(plan.protocol === 'auto' ? [] : ['--protocol', plan.protocol]),
  ...(plan.way === 'quick' ? ['--url', target] : ['run']),
];

/**
 * Rejects with a TunnelProblem, and then no process is left. `onOrigin` hears the address before it is tried out, since
 * the gateway answers only under addresses that it knows. `signal` bounds the opening; what runs then goes on.
 */
export const openOnce = async (
  plan: Plan,
  { program, instance, target, childEnv, probe, log }: OpenDeps,
  signal: AbortSignal,
  onOrigin: (origin: string) => void,
): Promise<Running> => {
  let problem: TunnelProblem | null = null;
  let quicFailures = 0;
  let timesRefused = 0;
  let isRegistered = false;
  const listeners = new Set<() => void>();
  const metrics = Promise.withResolvers<string>();
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => undefined); // nobody waits for it once the tunnel stands

  const tellChange = (): void => {
    for (const listener of [...listeners]) listener();
  };
  const note = (code: Exclude<ProblemCode, 'settings'>): void => {
    if (problem === null || !vague.has(code)) problem = new TunnelProblem(code);
    if (code === 'refused' && ++timesRefused >= refusals) failed.reject(problem);
    if (code !== 'quic-blocked' || isRegistered || plan.protocol !== 'auto') return;
    if (++quicFailures >= quicTries) failed.reject(problem);
  };
  const onLine = (line: string): void => {
    log.debug({ line: withoutPaths(line) }, 'cloudflared');
    const said = readLine(line);
    if (said === null) return;
    if (said.kind === 'metrics') metrics.resolve(said.address);
    if (said.kind === 'registered') {
      isRegistered = true;
      problem = null;
    }
    if (said.kind === 'problem') note(said.code);
    tellChange();
  };

  signal.throwIfAborted();
  const child: Child = await startChild({
    program,
    instance,
    args: argsOf(plan, target),
    env: childEnv,
    token: plan.way === 'named' ? plan.token : null,
    onLine,
  });
  const ended = child.exited.then((status): TunnelProblem => {
    log.debug({ status }, 'cloudflared ended');
    return problem ?? new TunnelProblem('ended');
  });
  void ended.then((reason) => {
    failed.reject(reason);
    tellChange();
  });

  const looking = new AbortController();
  const until = async <T>(look: () => Promise<T | null>): Promise<T> => {
    for (let wait = 100; ; wait = Math.min(wait * 1.5, 1_000)) {
      const found = await look();
      if (found !== null) return found;
      await delay(wait, undefined, { signal: looking.signal });
    }
  };
  const open = async (): Promise<{ origin: string; base: string }> => {
    const base = `http://${await metrics.promise}`;
    await child.forgetFiles();
    const origin =
      plan.way === 'named'
        ? plan.origin
        : await until(async () => {
            const answer = await ask(`${base}/quicktunnel`);
            if (answer?.status !== 200) return null;
            const { hostname } = (await answer.json()) as { hostname?: string };
            return hostname ? originOf(hostname) : null;
          });
    onOrigin(origin);
    await until(async () => ((await ask(`${base}/ready`))?.status === 200 ? true : null));
    isReady = true;
    await until(async () => ((await probe(origin, signal)) ? true : null));
    return { origin, base };
  };
  let isReady = false;
  const givenUp = new Promise<never>((_, reject) => {
    const giveUp = () => reject(problem ?? new TunnelProblem(isReady ? 'not-answering' : 'slow'));
    if (signal.aborted) giveUp();
    signal.addEventListener('abort', giveUp, { once: true });
  });
  const opening = open();
  opening.catch(() => undefined); // what ended it is told by the race
  try {
    const { origin, base } = await Promise.race([failed.promise, givenUp, opening]);
    return {
      origin,
      isConnected: async () => (await ask(`${base}/ready`))?.status === 200,
      ended,
      problem: () => problem,
      onChange: (listener) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
      stop: child.stop,
    };
  } catch (error) {
    looking.abort();
    await child.stop();
    throw error instanceof TunnelProblem ? error : (problem ?? new TunnelProblem('slow'));
  }
};
