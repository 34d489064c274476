import { setTimeout as sleep } from 'node:timers/promises';
import type { Hint } from '../../queues/hints.ts';
import type { Log } from '../../shared/log.ts';
import type { Engine } from './docker/engine.ts';
import { followEvents, type Pulse, type VmEvent } from './docker/events.ts';

/**
 * Hears from Docker what happens to VMs by itself, and hints at it to the bot. Every worker of a host hears the same:
 * a hint's id is made of what happened, so that it is told once.
 */

export type WatchOptions = {
  engine: Engine;
  instance: string;
  host: string;
  workerId: string;
  /** Waits for Redis as long as it takes. */
  tell: (id: string, hint: Hint) => Promise<void>;
  /** Called whenever Docker is there (again). */
  onBack?: () => void;
  log: Log;
  pulse?: Pulse;
};

/** Milliseconds. */
const firstPause = 50;
const longestPause = 2_000;
/** A connection that lived shorter is no sign that all is well: the next pause is longer than the last one. */
const steadyAfter = 5_000;

/** A program that starves again and again makes hundreds of events a second: of these one in ten seconds is told. */
const starvingWindow = 10_000;
const nanoseconds = 1e6;

/** The same for every worker that hears of it. */
export const hintId = ({ kind, containerId, timeNano }: VmEvent): string => {
  const window = starvingWindow * nanoseconds;
  const time = kind === 'out-of-memory' ? Math.floor(timeNano / window) * window : timeNano;
  return `${kind}-${containerId.slice(0, 12)}-${time}`;
};

export const watchVms = (options: WatchOptions): { close(): Promise<void> } => {
  const { engine, instance, host, workerId, tell, onBack, log, pulse } = options;
  const closing = new AbortController();
  const { signal } = closing;
  /** The last starvation that was told, by VM. */
  const starving = new Map<string, string>();

  const hint = (id: string, kind: Hint['kind'], vmId: string | null, time: number): void => {
    const told = tell(id, { host, kind, vmId, at: new Date(time).toISOString() });
    told.catch((err: unknown) => log.warn({ err, kind, vmId }, 'a hint was lost'));
  };
  const onEvent = (event: VmEvent): void => {
    const { kind, vmId, timeNano } = event;
    const id = hintId(event);
    if (kind === 'out-of-memory') {
      if (starving.get(vmId) === id) return;
      starving.set(vmId, id);
    } else {
      starving.delete(vmId);
    }
    log.info({ kind, vmId }, 'Docker tells of a VM');
    hint(id, kind, vmId, timeNano / nanoseconds);
  };

  const follow = async (): Promise<void> => {
    let away = false;
    let pause = firstPause;
    let openedAt: number | null = null;
    const onOpen = () => {
      log.info(away ? 'Docker tells of VMs again' : 'Docker tells of VMs');
      away = false;
      openedAt = performance.now();
      const now = Date.now();
      hint(`engine-back-${workerId}-${now}`, 'engine-back', null, now);
      onBack?.();
    };
    while (!signal.aborted) {
      try {
        await followEvents(engine, instance, { onOpen, onEvent }, signal, pulse);
      } catch (err) {
        if (signal.aborted) return;
        if (!away) log.warn({ err }, 'Docker does not tell of VMs any more');
        away = true;
      }
      if (openedAt !== null && performance.now() - openedAt > steadyAfter) pause = firstPause;
      openedAt = null;
      await sleep(pause, undefined, { signal }).catch(() => signal.aborted);
      pause = Math.min(pause * 2, longestPause);
    }
  };

  const following = follow();
  return {
    async close() {
      closing.abort(new Error('shutting down'));
      await following;
    },
  };
};
