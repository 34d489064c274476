/**
 * Update and message ids. The bot tells updates apart by their id, so an id given twice would be a command
 * lost. Counting therefore starts at the clock (in seconds), which is above everything an earlier run gave,
 * and with a state file a block of ids is reserved on disk **before** the first of it is used: a process that
 * was killed skips the rest of its block.
 */

export type Counters = {
  takeUpdateId(): number;
  takeMessageId(): number;
  /** What the file must hold now: ids up to here may have been given. */
  reserved(): { updateId: number; messageId: number };
};

const block = 1_000;

/** `reserve` writes `reserved()` down before it returns; without it ids live in memory only. */
export const createCounters = (
  saved: { updateId: number; messageId: number } | undefined,
  reserve: () => void,
): Counters => {
  const clock = Math.floor(Date.now() / 1000);
  const last = {
    updateId: Math.max(saved?.updateId ?? 0, clock),
    messageId: Math.max(saved?.messageId ?? 0, clock),
  };
  const ceiling = { ...last };

  const take = (name: 'updateId' | 'messageId'): number => {
    if (last[name] >= ceiling[name]) {
      ceiling[name] = last[name] + block;
      reserve();
    }
    return ++last[name];
  };

  return {
    takeUpdateId: () => take('updateId'),
    takeMessageId: () => take('messageId'),
    reserved: () => ({ ...ceiling }),
  };
};
