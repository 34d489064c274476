/**
 * Telegram's limits: about 30 messages a second in all, one a second to a chat, 20 a minute to a group. A bucket
 * holds a few tokens, so that a single quick answer never waits, and fills up at the allowed rate. Milliseconds.
 */

type Bucket = { tokens: number; at: number };
type Rate = { capacity: number; perMs: number };

const overall: Rate = { capacity: 25, perMs: 25 / 1_000 };
const perChat: Rate = { capacity: 3, perMs: 1 / 1_000 };
/** Groups have negative ids. */
const perGroup: Rate = { capacity: 3, perMs: 20 / 60_000 };

const refilled = (bucket: Bucket | undefined, { capacity, perMs }: Rate, now: number): number =>
  bucket === undefined ? capacity : Math.min(capacity, bucket.tokens + (now - bucket.at) * perMs);

const waitFor = (tokens: number, { perMs }: Rate): number =>
  tokens >= 1 ? 0 : Math.ceil((1 - tokens) / perMs);

export const createPacing = (now: () => number = () => performance.now()) => {
  let all: Bucket | undefined;
  const chats = new Map<number, Bucket>();
  const pausedUntil = new Map<number, number>();
  const rateOf = (chatId: number): Rate => (chatId < 0 ? perGroup : perChat);

  return {
    /** How long the next call to this chat has to wait. */
    delay(chatId: number): number {
      const at = now();
      const paused = (pausedUntil.get(chatId) ?? 0) - at;
      const chat = waitFor(refilled(chats.get(chatId), rateOf(chatId), at), rateOf(chatId));
      return Math.max(0, paused, chat, waitFor(refilled(all, overall, at), overall));
    },
    /** Counts a call. */
    take(chatId: number): void {
      const at = now();
      all = { tokens: refilled(all, overall, at) - 1, at };
      chats.set(chatId, { tokens: refilled(chats.get(chatId), rateOf(chatId), at) - 1, at });
      // A chat whose bucket is full again needs no memory.
      if (chats.size > 10_000) {
        for (const [id, bucket] of chats)
          if (refilled(bucket, rateOf(id), at) >= rateOf(id).capacity) chats.delete(id);
      }
    },
    /** Telegram's own word: nothing to this chat for so long. */
    pause(chatId: number, ms: number): void {
      pausedUntil.set(chatId, Math.max(pausedUntil.get(chatId) ?? 0, now() + ms));
    },
  };
};

export type Pacing = ReturnType<typeof createPacing>;
