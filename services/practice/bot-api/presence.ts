import type { EventStream } from '../events.ts';

/** Whether a bot is there: one that polls, or did a moment ago. People are told when it comes and goes. */
export type Presence = {
  during<T>(poll: () => Promise<T>): Promise<T>;
  isHere(): boolean;
  close(): void;
};

/** A bot handles a batch between two polls; only a longer absence counts. */
const graceMs = 4_000;

export const createPresence = (events: EventStream): Presence => {
  let polls = 0;
  let here = false;
  let timer: NodeJS.Timeout | undefined;

  const set = (value: boolean) => {
    if (value === here) return;
    here = value;
    events.emit({ type: 'bot', polling: value });
  };
  return {
    during: async (poll) => {
      polls++;
      clearTimeout(timer);
      set(true);
      try {
        return await poll();
      } finally {
        polls--;
        if (polls === 0) timer = setTimeout(() => set(false), graceMs).unref();
      }
    },
    isHere: () => here,
    close: () => clearTimeout(timer),
  };
};
