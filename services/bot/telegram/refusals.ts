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
  /** The buttons are at fault, a link to a host that only this machine knows for example; without them it may pass. */
  | { kind: 'bad-buttons' }
  /** It will never be accepted. */
  | { kind: 'rejected'; reason: string }
  /** Telegram, the way to it or the token is out; it may or may not have happened. */
  | { kind: 'transient'; reason: string };

const meanings: readonly [RegExp, 'not-modified' | 'message-gone' | 'blocked'][] = [
  [/message is not modified/i, 'not-modified'],
  [/message to edit not found|message can't be edited|MESSAGE_ID_INVALID/i, 'message-gone'],
  [/chat not found|PEER_ID_INVALID/i, 'blocked'],
];
const aboutFormatting = /can't parse entities|entit(y|ies)/i;
const aboutButtons = /BUTTON|keyboard|reply[_ ]markup/i;

/** The error carries the payload, message text included: only its code and description leave this function. */
export const readRefusal = (error: unknown): Refusal => {
  if (!(error instanceof TelegramError)) {
    const { code, name } = error as { code?: unknown; name?: string };
    return { kind: 'transient', reason: typeof code === 'string' ? code : (name ?? 'unknown') };
  }
  const { code, description, parameters } = error;
  const reason = `${code} ${description}`.slice(0, 200);
  if (code === 429) return { kind: 'too-many', retryAfter: (parameters?.retry_after ?? 1) * 1_000 };
  if (code === 403) return { kind: 'blocked' };
  if (code === 413) return { kind: 'rejected', reason };
  // A token that is refused says nothing about the message, which waits for the right one.
  if (code !== 400) return { kind: 'transient', reason };
  const meaning = meanings.find(([words]) => words.test(description));
  if (meaning !== undefined) return { kind: meaning[1] };
  if (aboutFormatting.test(description)) return { kind: 'bad-formatting' };
  if (aboutButtons.test(description)) return { kind: 'bad-buttons' };
  return { kind: 'rejected', reason };
};
