/**
 * Messages that have to wait before they are tried again. One that Telegram did not take holds its place in the
 * chat's line; one that could not even be made steps aside, lest it silence the chat. Milliseconds.
 */

type Wait = { until: number; aside: boolean };

const longest = 10_000;

/** A lost connection is tried again soon, an outage with patience. */
export const retryDelay = (attempts: number): number => Math.min(200 * 2 ** attempts, longest);

export const createPostponed = (now: () => number = () => performance.now()) => {
  const waits = new Map<string, Wait>();

  const remaining = (key: string): number => {
    const left = (waits.get(key)?.until ?? 0) - now();
    if (left <= 0) waits.delete(key);
    return Math.max(0, left);
  };

  return {
    remaining,
    postpone(key: string, delay: number, { aside = false } = {}): void {
      waits.set(key, { until: now() + delay, aside });
    },
    /** Those whose chats go on without them for now. */
    aside: (): string[] =>
      [...waits].filter(([key, wait]) => remaining(key) > 0 && wait.aside).map(([key]) => key),
    /** Until the next one may be tried; Infinity for none. */
    nextIn: (): number => Math.min(...[...waits.keys()].map(remaining), Number.POSITIVE_INFINITY),
    forget: (key: string): void => {
      waits.delete(key);
    },
  };
};

export type Postponed = ReturnType<typeof createPostponed>;
