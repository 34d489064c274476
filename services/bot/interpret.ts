import type { Update } from 'telegraf/types';

/**
 * What an update is, before anybody decides anything: a command, a pressed button, something we cannot read,
 * or nothing that concerns us. Updates come from outside: every field is checked, nothing is assumed.
 */

export type Sender = { id: number; firstName: string; username: string | null };
export type Place = { id: number; isPrivate: boolean };

export type Incoming =
  | { kind: 'command'; from: Sender; chat: Place; messageId: number; name: string; argument: string }
  | {
      kind: 'button';
      from: Sender;
      chat: Place | null;
      messageId: number | null;
      queryId: string;
      data: string;
    }
  | { kind: 'unreadable'; from: Sender; chat: Place; messageId: number }
  /** Somebody sent the secret half of a key, as text or as a file. */
  | { kind: 'private-key'; from: Sender; chat: Place; messageId: number }
  | { kind: 'blocked'; chat: Place }
  | { kind: 'unblocked'; chat: Place }
  | { kind: 'nothing' };

const nothing: Incoming = { kind: 'nothing' };

const asObject = (value: unknown): Record<string, unknown> | null =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;

const readSender = (value: unknown): Sender | null => {
  const from = asObject(value);
  if (from === null || !Number.isSafeInteger(from.id) || from.is_bot === true) return null;
  return {
    id: from.id as number,
    firstName: typeof from.first_name === 'string' ? from.first_name : '',
    username: typeof from.username === 'string' ? from.username : null,
  };
};

const readPlace = (value: unknown): Place | null => {
  const chat = asObject(value);
  if (chat === null || !Number.isSafeInteger(chat.id)) return null;
  return { id: chat.id as number, isPrivate: chat.type === 'private' };
};

/** `/name@bot argument`; the name is compared without regard to case, as Telegram itself does. */
const commandPattern = /^\/([A-Za-z0-9_]{1,32})(?:@([A-Za-z0-9_]+))?(?:\s+([\s\S]*))?$/;

const interpretMessage = (message: Record<string, unknown>, botUsername: string): Incoming => {
  const from = readSender(message.from);
  const chat = readPlace(message.chat);
  const messageId = message.message_id;
  if (from === null || chat === null || !Number.isSafeInteger(messageId)) return nothing;
  const place = { from, chat, messageId: messageId as number };
  const text = typeof message.text === 'string' ? message.text.trim() : null;
  if (holdsPrivateKey(message)) return { kind: 'private-key', ...place };
  const [, name, addressee, argument] = commandPattern.exec(text ?? '') ?? [];
  if (name === undefined && chat.isPrivate && text !== null && publicKeyText.test(text)) {
    return { kind: 'command', ...place, name: 'ssh_key', argument: text };
  }
  if (name === undefined) {
    // In a group people talk to each other; in private they talk to us.
    return chat.isPrivate && !isServiceMessage(message) ? { kind: 'unreadable', ...place } : nothing;
  }
  if (addressee !== undefined && addressee.toLowerCase() !== botUsername.toLowerCase()) {
    // In private it can only be a slip.
    return chat.isPrivate ? { kind: 'unreadable', ...place } : nothing;
  }
  return { kind: 'command', ...place, name: name.toLowerCase(), argument: argument?.trim() ?? '' };
};

/** Telegram cuts long texts in several: the end of a key alone is to be noticed too. */
const privateKeyText = /[-–—]{2,}\s*(BEGIN|END) [A-Z0-9 ]*PRIVATE KEY|PuTTY-User-Key-File-\d/;
/** What people paste who were asked for a line of a file. */
const publicKeyText = /^(ssh-(rsa|ed25519)|ecdsa-sha2-\w+|sk-[\w@.-]+) AAAA/;
const privateKeyFile = /^(id_(rsa|dsa|ecdsa|ed25519)(_sk)?( \(\d+\))?|.*\.(ppk|pem|key))$/i;

/** In its text, its caption, or by the name of its file. */
const holdsPrivateKey = (message: Record<string, unknown>): boolean => {
  const texts = [message.text, message.caption].filter((text) => typeof text === 'string');
  const fileName = asObject(message.document)?.file_name;
  return (
    texts.some((text) => privateKeyText.test(text)) ||
    (typeof fileName === 'string' && privateKeyFile.test(fileName))
  );
};

/** Somebody pinned, joined, changed a timer: Telegram's own lines, which ask nothing of us. */
const serviceFields = [
  'pinned_message',
  'new_chat_members',
  'left_chat_member',
  'message_auto_delete_timer_changed',
];
const isServiceMessage = (message: Record<string, unknown>) =>
  serviceFields.some((field) => field in message);

export const interpret = (update: Update, botUsername: string): Incoming => {
  const fields = asObject(update);
  const message = asObject(fields?.message);
  if (message !== null) return interpretMessage(message, botUsername);

  const query = asObject(fields?.callback_query);
  if (query !== null) {
    const from = readSender(query.from);
    if (from === null || typeof query.id !== 'string') return nothing;
    const under = asObject(query.message);
    return {
      kind: 'button',
      from,
      chat: readPlace(under?.chat),
      messageId: Number.isSafeInteger(under?.message_id) ? (under?.message_id as number) : null,
      queryId: query.id,
      data: typeof query.data === 'string' ? query.data : '',
    };
  }

  const membership = asObject(fields?.my_chat_member);
  const chat = readPlace(membership?.chat);
  if (chat?.isPrivate) {
    const status = asObject(membership?.new_chat_member)?.status;
    if (status === 'kicked') return { kind: 'blocked', chat };
    if (status === 'member') return { kind: 'unblocked', chat };
  }
  // Edited messages are left alone on purpose: what was asked first has been done. A secret is one all the same.
  const edited = asObject(fields?.edited_message);
  const read = edited === null ? nothing : interpretMessage(edited, botUsername);
  return read.kind === 'private-key' ? read : nothing;
};

export const allowedUpdates = ['message', 'edited_message', 'callback_query', 'my_chat_member'] as const;
