import { highWater, lowWater } from './protocol.ts';

/** Bytes on their way: who has sent too many unacknowledged ones stops reading, and goes on once enough have arrived. */
export type Watermarks = {
  sent(bytes: number): void;
  /** More than was ever sent counts as all of it: whoever says so lies, or speaks of an earlier connection. */
  acknowledged(bytes: number): void;
};

export const createWatermarks = (flow: { pause(): void; resume(): void }): Watermarks => {
  let underway = 0;
  let paused = false;
  return {
    sent(bytes) {
      underway += bytes;
      if (paused || underway <= highWater) return;
      paused = true;
      flow.pause();
    },
    acknowledged(bytes) {
      underway = Math.max(0, underway - bytes);
      if (!paused || underway >= lowWater) return;
      paused = false;
      flow.resume();
    },
  };
};
