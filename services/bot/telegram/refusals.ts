import { TelegramError } from 'telegraf';

/** What an error of a call to Telegram means for the message that was to be delivered. */

export type Refusal =
  /** The chat shows just that already. */
  | { kind: 'not-modified' }
  /** Too much at once; nothing to this chat before so many milliseconds are over. */
  | { kind: 'too-many'; retryAfter: number }
  /** The person has blocked the bot, or never wrote to it. */
  | { kind: 'blocked' }
  /** The message to edit is gone or cannot be edited any more. */
  | { kind: 'message-gone' }
  /** The entities are at fault; the plain text may pass. */
  | { kind: 'bad-formatting' }
  /** It will never be accepted. */
  | { kind: 'rejected'; reason: string }
  /** Telegram or the way to it is out; it may or may not have happened. */
  | { kind: 'transient'; reason: string };

export const readRefusal = (error: unknown): Refusal => {
  if (!(error instanceof TelegramError)) {
    const { code, name } = error as { code?: unknown; name?: string };
    return { kind: 'transient', reason: typeof code === 'string' ? code : (name ?? 'unknown') };
  }
  // The error carries the payload, message text included: only code and description leave this function.
  const { code, description, parameters } = error;
  if (code === 429) return { kind: 'too-many', retryAfter: (parameters?.retry_after ?? 1) * 1_000 };
  if (code === 403) return { kind: 'blocked' };
  if (code >= 500) return { kind: 'transient', reason: `${code}` };
  if (code === 400 && /message is not modified/i.test(description)) return { kind: 'not-modified' };
  if (
    code === 400 &&
    /message to edit not found|message can't be edited|MESSAGE_ID_INVALID/i.test(description)
  ) {
    return { kind: 'message-gone' };
  }
  if (code === 400 && /can't parse entities|entit(y|ies)/i.test(description))
    return { kind: 'bad-formatting' };
  return { kind: 'rejected', reason: `${code} ${description}`.slice(0, 200) };
};
