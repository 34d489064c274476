import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createLog } from '../../../shared/log.ts';
import type { Running } from './open-once.ts';
import { TunnelProblem } from './problems.ts';
import { supervise, timings } from './supervise.ts';

/** The pauses between two openings, in minutes that nobody waits for. */

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const running = () => {
  let isConnected = true;
  const end = Promise.withResolvers<TunnelProblem>();
  const listeners = new Set<() => void>();
  const up: Running = {
    origin: 'https://a.trycloudflare.com',
    isConnected: async () => isConnected,
    ended: end.promise,
    problem: () => null,
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    stop: async () => undefined,
  };
  const die = async (): Promise<void> => {
    end.resolve(new TunnelProblem('ended'));
    await end.promise;
    for (const listener of [...listeners]) listener();
  };
  /** The connection to the edge, away or back. */
  const connect = (now: boolean): void => {
    isConnected = now;
    for (const listener of [...listeners]) listener();
  };
  return { up, die, connect, listeners };
};

const start = (openOnce: () => Promise<Running>, always = true) => {
  const openings: number[] = [];
  const supervisor = supervise({
    openOnce: async () => {
      openings.push(Date.now());
      return await openOnce();
    },
    always,
    onChange: () => undefined,
    log: createLog('test', 'silent'),
    times: timings,
  });
  const gaps = () => openings.slice(1).map((at, index) => at - openings[index]!);
  return { supervisor, openings, gaps };
};
const fail = (code: 'no-network' | 'rate-limited') => async () => {
  throw new TunnelProblem(code);
};

describe('a tunnel that is wanted', () => {
  it('is tried for after 1, 2, 4 … 60 seconds, and no later', async () => {
    const { supervisor, gaps } = start(fail('no-network'));
    supervisor.begin();
    await vi.advanceTimersByTimeAsync(300_000);
    expect(gaps().slice(0, 9)).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]);
    await supervisor.close();
  });

  it('is tried for at once when somebody wishes for it', async () => {
    const { supervisor, openings } = start(fail('no-network'));
    supervisor.begin();
    await vi.advanceTimersByTimeAsync(100_000);
    const before = openings.length;
    await expect(supervisor.wish()).rejects.toThrow(/no internet/);
    expect(openings).toHaveLength(before + 1);
    await supervisor.close();
  });

  it('is not asked of Cloudflare within a minute of “too many requests”, whoever wishes', async () => {
    const { supervisor, openings, gaps } = start(fail('rate-limited'));
    supervisor.begin();
    await vi.advanceTimersByTimeAsync(30_000);
    await expect(supervisor.wish()).rejects.toThrow(/no more quick tunnels/);
    expect(openings).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(40_000);
    expect(gaps()).toEqual([60_000]);
    await supervisor.close();
  });

  it('that stood for a minute is opened anew after a second, one that keeps dying ever later', async () => {
    let current = running();
    const { supervisor, openings } = start(async () => {
      current = running();
      return current.up;
    });
    supervisor.begin();
    const gapAfter = async (stoodFor: number): Promise<number> => {
      await vi.advanceTimersByTimeAsync(stoodFor);
      const count = openings.length;
      const diedAt = Date.now();
      await current.die();
      await vi.advanceTimersByTimeAsync(0);
      while (openings.length === count) await vi.advanceTimersByTimeAsync(100);
      return Date.now() - diedAt;
    };
    expect(await gapAfter(500)).toBe(1_000);
    expect(await gapAfter(500)).toBe(2_000);
    expect(await gapAfter(500)).toBe(4_000);
    expect(await gapAfter(61_000)).toBe(1_000);
    expect(supervisor.state().restarts).toBe(4);
    await supervisor.close();
  });

  it('is watched for hours without anything piling up', async () => {
    const current = running();
    const { supervisor } = start(async () => current.up);
    supervisor.begin();
    await vi.advanceTimersByTimeAsync(4 * 3_600_000);
    expect(current.listeners.size).toBe(1);
    expect(supervisor.state()).toMatchObject({ connected: true, restarts: 0 });
    await supervisor.close();
  });
});

describe('while the connection of a tunnel is away', () => {
  const startAndLose = async () => {
    const current = running();
    const { supervisor } = start(async () => current.up);
    await supervisor.wish();
    current.connect(false);
    await vi.advanceTimersByTimeAsync(60_000);
    return { ...current, supervisor };
  };

  it('whoever wishes for it hears after ten seconds that it was lost, however many they are', async () => {
    const { supervisor } = await startAndLose();
    const asked = Date.now();
    const wish = async () => {
      const problem = await supervisor.wish().catch((error: unknown) => error);
      return { problem, after: Date.now() - asked };
    };
    const wishes = Promise.all(Array.from({ length: 100 }, wish));
    await vi.advanceTimersByTimeAsync(50_000);
    for (const { problem, after } of await wishes) {
      expect(problem).toMatchObject({ code: 'connection-lost' });
      expect(after).toBe(10_000);
    }
    await supervisor.close();
  });

  it('a wish is granted when it comes back in time', async () => {
    const { supervisor, connect } = await startAndLose();
    const wish = supervisor.wish();
    await vi.advanceTimersByTimeAsync(9_000);
    connect(true);
    expect(await wish).toBe('https://a.trycloudflare.com');
    await vi.advanceTimersByTimeAsync(50_000);
    expect(supervisor.trouble()).toBeNull();
    await supervisor.close();
  });

  it('a wish stays on where the tunnel is being opened anew meanwhile', async () => {
    const first = running();
    const second = Promise.withResolvers<Running>();
    const openings = [Promise.resolve(first.up), second.promise];
    const { supervisor } = start(() => openings.shift()!);
    await supervisor.wish();
    first.connect(false);
    await vi.advanceTimersByTimeAsync(timings.disconnected - 5_000);
    const wish = supervisor.wish();
    await vi.advanceTimersByTimeAsync(30_000);
    expect(openings).toEqual([]);
    expect(supervisor.trouble()).toMatchObject({ code: 'connection-lost' });
    second.resolve(running().up);
    expect(await wish).toBe('https://a.trycloudflare.com');
    await supervisor.close();
  });
});

describe('a tunnel that nobody demands', () => {
  it('is let go of when its first opening fails', async () => {
    const { supervisor, openings } = start(fail('no-network'), false);
    await expect(supervisor.wish()).rejects.toThrow(/no internet/);
    await vi.advanceTimersByTimeAsync(300_000);
    expect(openings).toHaveLength(1);
    expect(supervisor.state().wanted).toBe(false);
    await supervisor.close();
  });

  it('is kept once it stood', async () => {
    const first = running();
    const results = [async () => first.up, fail('no-network'), async () => running().up];
    const { supervisor, openings } = start(() => results.shift()!(), false);
    expect(await supervisor.wish()).toBe('https://a.trycloudflare.com');
    await first.die();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(openings).toHaveLength(3);
    expect(supervisor.state()).toMatchObject({ wanted: true, connected: true });
    await supervisor.close();
  });
});
