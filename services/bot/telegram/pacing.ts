/**
 * Telegram's limits: about 30 messages a second in all, one a second to a chat, 20 a minute to a group. A bucket
 * holds a few tokens, so that a single quick answer never waits, and fills up at the allowed rate. Milliseconds.
 */

type Bucket = { tokens: number; at: number };
/** `spare` tokens are left alone by what can wait, so that an answer finds them. */
type Rate = { capacity: number; perMs: number; spare: number };

/** A full bucket and a second's refill make 30. */
const overall: Rate = { capacity: 5, perMs: 25 / 1_000, spare: 3 };
const perChat: Rate = { capacity: 3, perMs: 1 / 1_000, spare: 1 };
/** Groups have negative ids. */
const perGroup: Rate = { capacity: 3, perMs: 20 / 60_000, spare: 1 };

const rateOf = (chatId: number): Rate => (chatId < 0 ? perGroup : perChat);

const refilled = (bucket: Bucket | undefined, { capacity, perMs }: Rate, now: number): number =>
  bucket === undefined ? capacity : Math.min(capacity, bucket.tokens + (now - bucket.at) * perMs);

const waitFor = (needed: number, tokens: number, { perMs }: Rate): number =>
  tokens >= needed ? 0 : Math.ceil((needed - tokens) / perMs);

export const createPacing = (now: () => number = () => performance.now()) => {
  let all: Bucket | undefined;
  const chats = new Map<number, Bucket>();
  const pausedUntil = new Map<number, number>();

  const forgetWhatIsFull = (at: number): void => {
    for (const [id, bucket] of chats) {
      if (refilled(bucket, rateOf(id), at) >= rateOf(id).capacity) chats.delete(id);
    }
    for (const [id, until] of pausedUntil) if (until <= at) pausedUntil.delete(id);
  };

  return {
    /** How long the next call to this chat has to wait; one that `canWait` leaves some room for others. */
    delay(chatId: number, { canWait = false } = {}): number {
      const at = now();
      const rate = rateOf(chatId);
      const needed = ({ spare }: Rate): number => (canWait ? 1 + spare : 1);
      return Math.max(
        0,
        (pausedUntil.get(chatId) ?? 0) - at,
        waitFor(needed(rate), refilled(chats.get(chatId), rate, at), rate),
        waitFor(needed(overall), refilled(all, overall, at), overall),
      );
    },
    /** Counts a call. */
    take(chatId: number): void {
      const at = now();
      all = { tokens: refilled(all, overall, at) - 1, at };
      chats.set(chatId, { tokens: refilled(chats.get(chatId), rateOf(chatId), at) - 1, at });
      if (chats.size > 10_000) forgetWhatIsFull(at);
    },
    /** A call that was counted and turned out to be of no use. */
    giveBack(chatId: number): void {
      const chat = chats.get(chatId);
      if (chat !== undefined) chat.tokens += 1;
      if (all !== undefined) all.tokens += 1;
    },
    /** Telegram's own word: nothing to this chat for so long. */
    pause(chatId: number, ms: number): void {
      pausedUntil.set(chatId, Math.max(pausedUntil.get(chatId) ?? 0, now() + ms));
    },
  };
};

export type Pacing = ReturnType<typeof createPacing>;
