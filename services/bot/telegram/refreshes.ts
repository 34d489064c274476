/**
 * Messages to render anew because something that is not stored has changed. Many wishes become one edit, and no
 * message is refreshed more often than once per `interval` milliseconds.
 */

export const createRefreshes = (now: () => number = () => performance.now(), interval = 1_000) => {
  const wanted = new Set<string>();
  const awaited = new Set<string>();
  /** In the order of their times. */
  const lastTimes = new Map<string, number>();

  const remaining = (key: string): number =>
    (lastTimes.get(key) ?? Number.NEGATIVE_INFINITY) + interval - now();

  return {
    want(key: string, options: { awaited?: boolean } = {}): void {
      wanted.add(key);
      if (options.awaited) awaited.add(key);
    },
    drop(key: string): void {
      wanted.delete(key);
      awaited.delete(key);
    },
    /** Somebody has asked for what it will show. */
    isAwaited: (key: string): boolean => awaited.has(key),
    due: (): string[] => [...wanted].filter((key) => remaining(key) <= 0),
    /** Until the next one is due; Infinity for none. */
    nextIn: (): number =>
      Math.min(...[...wanted].map(remaining).filter((ms) => ms > 0), Number.POSITIVE_INFINITY),
    begin(key: string): void {
      wanted.delete(key);
      awaited.delete(key);
      lastTimes.delete(key);
      lastTimes.set(key, now());
      for (const old of lastTimes.keys()) {
        if (remaining(old) > 0) break;
        lastTimes.delete(old);
      }
    },
  };
};
