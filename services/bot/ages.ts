/**
 * How long things have been open, although the clock of the machine may jump: an hour forwards must not end everything
 * as timed out, an hour backwards must not keep it open. The wall's clock counts only for what was there before this
 * process; from then on a clock that cannot jump is added.
 */

export type Ages = {
  /** Begins a look: what is first seen in it cannot be older than the look before. */
  begin(): void;
  /** Milliseconds, never less than nothing. `since` and `now` by the wall's clock. */
  of(key: string, since: number, now: number): number;
  /** Forgets what was not asked for in this look. */
  end(): void;
};

export const createAges = (steady: () => number = () => performance.now()): Ages => {
  const first = new Map<string, { age: number; at: number }>();
  let asked = new Set<string>();
  let lastLook: number | null = null;
  let thisLook = steady();
  return {
    begin() {
      thisLook = steady();
      asked = new Set();
    },
    of(key, since, now) {
      asked.add(key);
      const known = first.get(key);
      if (known !== undefined) return known.age + (steady() - known.at);
      const atMost = lastLook === null ? Number.POSITIVE_INFINITY : steady() - lastLook;
      const age = Math.min(Math.max(0, now - since), atMost);
      first.set(key, { age, at: steady() });
      return age;
    },
    end() {
      for (const key of first.keys()) if (!asked.has(key)) first.delete(key);
      lastLook = thisLook;
    },
  };
};
