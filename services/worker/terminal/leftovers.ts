import type { Log } from '../../../shared/log.ts';
import type { Engine } from '../docker/engine.ts';
import { killSessions, listSessions, noteSeen } from './tmux.ts';

/**
 * A session that nobody has been attached to for a while is ended with what runs in it. Whoever lost the connection has
 * that long to come back. It also ends what another worker left behind as it died.
 */

export type LeftoversOptions = {
  engine: Engine;
  log: Log;
  /** Milliseconds that a session stays without anybody. */
  patience?: number;
};

const usualPatience = 15 * 60_000;

export const createLeftovers = ({ engine, log, patience = usualPatience }: LeftoversOptions) => {
  /** The sessions that this worker serves, by container. */
  const served = new Map<string, Set<string>>();
  const timers = new Set<NodeJS.Timeout>();
  const wallBegan = Date.now() - performance.now();
  /** Where the clock is set forwards, what another worker serves must not look as if nobody had seen it for long. */
  const now = () => Math.min(Date.now(), wallBegan + performance.now());

  /** Gives how many sessions are left in it. Those served here are noted as seen. */
  const sweep = async (containerId: string, except?: string): Promise<number> => {
    const ours = served.get(containerId) ?? new Set();
    const all = await listSessions(engine, containerId, {});
    const old = all.filter(
      ({ name, seenAt }) => name !== except && !ours.has(name) && now() - seenAt > patience,
    );
    if (old.length > 0) {
      log.info({ sessions: old.length }, 'ends terminals that nobody came back to');
      await killSessions(
        engine,
        containerId,
        old.map(({ name }) => name),
        {},
      );
    }
    await noteSeen(
      engine,
      containerId,
      all.map(({ name }) => name).filter((name) => ours.has(name)),
      {},
    );
    return all.filter(({ name }) => name !== except).length - old.length;
  };
  const sweepLater = (containerId: string, ms: number): void => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      // A VM that was stopped meanwhile has no sessions any more.
      sweep(containerId).catch((err: unknown) => log.debug({ err }, 'could not look for old terminals'));
    }, ms);
    timer.unref();
    timers.add(timer);
  };
  const beat = setInterval(() => {
    for (const [containerId, sessions] of served) if (sessions.size > 0) sweepLater(containerId, 0);
  }, patience / 3);
  beat.unref();

  return {
    sweep,
    began(containerId: string, session: string): void {
      const sessions = served.get(containerId) ?? new Set();
      served.set(containerId, sessions.add(session));
    },
    /** It may have been left, or have ended: the sweep sees. */
    stopped(containerId: string, session: string): void {
      const sessions = served.get(containerId);
      sessions?.delete(session);
      if (sessions?.size === 0) served.delete(containerId);
      sweepLater(containerId, patience + 1_000);
    },
    close(): void {
      clearInterval(beat);
      for (const timer of timers) clearTimeout(timer);
    },
  };
};
export type Leftovers = ReturnType<typeof createLeftovers>;
