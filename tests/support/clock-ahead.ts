import { readFileSync } from 'node:fs';

/**
 * Loaded before a service (`NODE_OPTIONS=--import …`): its clock is ahead of the machine's by CLOCK_AHEAD_MS, so that what
 * takes minutes can be tried in seconds, or by what CLOCK_AHEAD_FILE says at the moment, so that it can jump. Timers and
 * durations stay as they are, as they do when a machine's clock is set.
 */

const { CLOCK_AHEAD_MS: fixed, CLOCK_AHEAD_FILE: file } = process.env;
const RealDate = Date;

const aheadNow = (): number => Number(file === undefined ? fixed : readFileSync(file, 'utf8'));

class DateAhead extends RealDate {
  constructor(...args: unknown[]) {
    if (args.length === 0) super(DateAhead.now());
    else super(...(args as [number]));
  }

  static override now(): number {
    return RealDate.now() + aheadNow();
  }
}

globalThis.Date = DateAhead as DateConstructor;
