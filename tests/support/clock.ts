import { join } from 'node:path';

/** The environment of a service whose clock is that far ahead, in milliseconds. */
export const clockEnv = (ahead: number): NodeJS.ProcessEnv => ({
  NODE_OPTIONS: `--import=${join(import.meta.dirname, 'clock-ahead.ts')}`,
  CLOCK_AHEAD_MS: `${ahead}`,
});
