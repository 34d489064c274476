/**
 * How long operations took, for people to read, although the clock of the machine may jump meanwhile: "6 s" must not become
 * "1 h" since somebody set the clock. Times of events are the wall's; whatever they say, an operation went on for as long
 * as this process saw it open, and for no longer than until this process knew of its end.
 */

/** So many operations are remembered; of older ones the wall's clock is believed. */
const most = 1_000;

/** `lastOpen`: how long it had been going on when it was last seen to. */
type Seen = { age: number; at: number; lastOpen: number; ended: number | null };

export type Elapsed = {
  /** Milliseconds, never less than nothing. All three by the wall's clock; `end` null while it is open. */
  of(operationId: string, times: { since: number; end: number | null; now: number }): number;
};

export const createElapsed = (steady: () => number = () => performance.now()): Elapsed => {
  const seen = new Map<string, Seen>();
  return {
    of(operationId, { since, end, now }) {
      const known = seen.get(operationId);
      const byWall = Math.max(0, (end ?? now) - since);
      if (known === undefined) {
        if (end !== null) return byWall;
        seen.set(operationId, { age: byWall, at: steady(), lastOpen: byWall, ended: null });
        const [oldest] = seen.keys();
        if (seen.size > most) seen.delete(oldest!);
        return byWall;
      }
      const untilNow = known.age + steady() - known.at;
      if (end === null) {
        known.lastOpen = untilNow;
        return untilNow;
      }
      known.ended ??= Math.min(Math.max(byWall, known.lastOpen), untilNow);
      return known.ended;
    },
  };
};
