import type { Log } from '../../../shared/log.ts';
import type { Running } from './open-once.ts';
import { TunnelProblem } from './problems.ts';

/**
 * Keeps a tunnel open once somebody wished for it: opened at the first wish, shared by those who wish meanwhile, and
 * opened anew with growing delay when it dies. A first try that fails leaves nothing behind, unless the settings say
 * that a tunnel should always stand.
 */

export type Timings = {
  /** Milliseconds for one opening. */
  opening: number;
  shortestDelay: number;
  longestDelay: number;
  /** After it stood for so long the delay begins anew. */
  steady: number;
  look: number;
  /** Without a connection for so long it is opened anew; cloudflared by itself tries on and on. */
  disconnected: number;
  /** The same, where Cloudflare says that it knows the tunnel no more. */
  refused: number;
  /** How long nothing is tried after “too many requests”. */
  rateLimited: number;
  /** How long a wish waits for a tunnel that stands to find its connection again. */
  patience: number;
  /** In which every wish is answered, one way or the other: what was waited for, the opening and two ends of children. */
  answer: number;
};
export const timings: Timings = {
  opening: 45_000,
  shortestDelay: 1_000,
  longestDelay: 60_000,
  steady: 60_000,
  look: 5_000,
  disconnected: 180_000,
  refused: 20_000,
  rateLimited: 60_000,
  patience: 10_000,
  answer: 55_000,
};

export type Supervision = {
  wanted: boolean;
  /** The address of the tunnel that stands, or is being tried out. */
  origin: string | null;
  connected: boolean;
  since: string;
  lastProblem: { text: string; at: string } | null;
  restarts: number;
  /** When its address last became another one. */
  changedAt: string | null;
};

type Wish = PromiseWithResolvers<string>;

export const supervise = (options: {
  openOnce: (signal: AbortSignal, onOrigin: (origin: string) => void) => Promise<Running>;
  /** A tunnel should stand all the time, wished for or not. */
  always: boolean;
  onChange: () => void;
  log: Log;
  times: Timings;
}) => {
  const { openOnce, always, onChange, log, times } = options;
  const closing = new AbortController();
  const state: Supervision = {
    wanted: always,
    origin: null,
    connected: false,
    since: new Date().toISOString(),
    lastProblem: null,
    restarts: 0,
    changedAt: null,
  };
  const wishes = new Set<Wish>();
  let loop: Promise<void> | null = null;
  let hurry: () => void = () => undefined;
  let running: Running | null = null;
  let everOrigin: string | null = null;
  let limitedUntil = 0;
  let lastLimit: TunnelProblem | null = null;
  /** Unlike the state's last problem, none of yesterday's: what keeps the tunnel from standing now. */
  let trouble: TunnelProblem | null = null;

  const change = (news: Partial<Supervision>): void => {
    const isNews = Object.entries(news).some(([key, value]) => state[key as keyof Supervision] !== value);
    if (!isNews) return;
    if (news.connected !== undefined && news.connected !== state.connected)
      news.since = new Date().toISOString();
    Object.assign(state, news);
    onChange();
  };
  const noteProblem = (problem: TunnelProblem): void => {
    if (problem.text !== state.lastProblem?.text) {
      // Where a tunnel is not asked for in so many words, its program may be missing: links and overview say so.
      const level = ['not-installed', 'not-running'].includes(problem.code) ? 'info' : 'warn';
      log[level]({ reason: problem.text }, 'trouble with the tunnel');
    }
    if (problem.code === 'rate-limited') {
      limitedUntil = performance.now() + times.rateLimited;
      lastLimit = problem;
    }
    trouble = problem;
    change({ lastProblem: { text: problem.text, at: new Date().toISOString() } });
  };
  const grant = (origin: string): void => {
    for (const wish of wishes) wish.resolve(origin);
    wishes.clear();
  };
  const refuse = (problem: TunnelProblem): void => {
    for (const wish of wishes) wish.reject(problem);
    wishes.clear();
  };
  const stand = (up: Running): void => {
    if (everOrigin !== null && everOrigin !== up.origin) change({ changedAt: new Date().toISOString() });
    everOrigin = up.origin;
    trouble = null;
    if (!state.connected) log.info({ origin: up.origin }, 'the tunnel stands');
    change({ connected: true, origin: up.origin });
    grant(up.origin);
  };

  /** A pause that ends early at the end of all, and when `listen` calls back. */
  const pause = async (ms: number, listen?: (end: () => void) => () => void): Promise<void> => {
    if (closing.signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const end = () => resolve();
    const timer = setTimeout(end, ms);
    closing.signal.addEventListener('abort', end);
    const unlisten = listen?.(end);
    await promise;
    clearTimeout(timer);
    closing.signal.removeEventListener('abort', end);
    unlisten?.();
  };

  /** Until the tunnel is no more, or of no use any more; says why. */
  const watch = async (up: Running): Promise<TunnelProblem> => {
    let lostAt: number | null = null;
    let ended: TunnelProblem | null = null;
    void up.ended.then((problem) => {
      ended = problem;
    });
    for (;;) {
      await pause(times.look, up.onChange);
      if (ended !== null) return ended;
      if (closing.signal.aborted) return new TunnelProblem('closing');
      if (await up.isConnected()) {
        lostAt = null;
        stand(up);
        continue;
      }
      if (ended !== null) return ended;
      const problem = up.problem() ?? new TunnelProblem('connection-lost');
      lostAt ??= performance.now();
      change({ connected: false });
      noteProblem(problem);
      const patience = problem.code === 'refused' ? times.refused : times.disconnected;
      if (performance.now() - lostAt >= patience) return problem;
    }
  };

  const keepOpen = async (): Promise<void> => {
    let failures = 0;
    let hasStood = false;
    while (!closing.signal.aborted) {
      const bound = AbortSignal.any([closing.signal, AbortSignal.timeout(times.opening)]);
      try {
        running = await openOnce(bound, (origin) => change({ origin }));
        hasStood = true;
        stand(running);
        const stoodAt = performance.now();
        const problem = await watch(running);
        if (closing.signal.aborted) break;
        if (performance.now() - stoodAt >= times.steady) failures = 0;
        change({ restarts: state.restarts + 1 });
        noteProblem(problem);
      } catch (error) {
        if (closing.signal.aborted) break;
        const problem = error instanceof TunnelProblem ? error : new TunnelProblem('slow');
        if (problem !== error) log.error({ err: error }, 'could not open the tunnel');
        noteProblem(problem);
        refuse(problem);
        if (!hasStood && !always) break;
      } finally {
        await running?.stop();
        running = null;
        change({ connected: false, origin: null });
      }
      const delay = Math.min(times.shortestDelay * 2 ** failures++, times.longestDelay);
      const limited = limitedUntil - performance.now();
      // Somebody who wishes for the tunnel cuts the pause short; too many requests are not answered by more.
      if (limited > 0) await pause(Math.max(delay, limited));
      else if (wishes.size === 0) {
        await pause(delay, (end) => {
          hurry = end;
          return () => undefined;
        });
      }
    }
    change({ wanted: false, connected: false, origin: null });
  };

  const begin = (): void => {
    if (loop !== null || closing.signal.aborted) return;
    trouble = null;
    change({ wanted: true });
    loop = keepOpen().finally(() => {
      loop = null;
      // Whoever came between the last look and the end gets a try of their own.
      if (wishes.size > 0) begin();
    });
  };

  return {
    state: (): Readonly<Supervision> => state,
    /** Why it does not stand now, as far as that is known. */
    trouble: (): TunnelProblem | null => trouble,
    begin,
    /**
     * The origin once the tunnel stands. Rejects with a TunnelProblem when this opening failed, or when the connection of
     * one that stood stays away.
     */
    async wish(): Promise<string> {
      if (closing.signal.aborted) throw new TunnelProblem('closing');
      const up = running;
      if (up !== null && (await up.isConnected())) return up.origin;
      if (performance.now() < limitedUntil && running === null) throw lastLimit!;
      const wish: Wish = Promise.withResolvers<string>();
      wishes.add(wish);
      begin();
      hurry();
      if (up === null) return await wish.promise;
      // The run is held on to for minutes, in which its connection may come back; people do not wait for so long.
      const giveUp = setTimeout(() => {
        if (running !== up) return; // it is being opened anew meanwhile, which ends in time
        wishes.delete(wish);
        wish.reject(trouble ?? up.problem() ?? new TunnelProblem('connection-lost'));
      }, times.patience);
      try {
        return await wish.promise;
      } finally {
        clearTimeout(giveUp);
      }
    },
    async close(): Promise<void> {
      closing.abort();
      refuse(new TunnelProblem('closing'));
      await loop;
    },
  };
};
