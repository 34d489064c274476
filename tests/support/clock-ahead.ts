/**
 * Loaded before a service (`NODE_OPTIONS=--import …`): its clock is ahead of the machine's by CLOCK_AHEAD_MS, so that what
 * takes minutes can be tried in seconds. Timers and durations stay as they are.
 */

const ahead = Number(process.env.CLOCK_AHEAD_MS);
const RealDate = Date;

class DateAhead extends RealDate {
  constructor(...args: unknown[]) {
    if (args.length === 0) super(DateAhead.now());
    else super(...(args as [number]));
  }

  static override now(): number {
    return RealDate.now() + ahead;
  }
}

globalThis.Date = DateAhead as DateConstructor;

export {};
