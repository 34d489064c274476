import type { Entity } from '../entities/types.ts';

/**
 * The practice chat's world.
 *
 * person   somebody who can write to the bot; `started` once they did, `blocked` while they refuse it
 * chat     a conversation: a person's own with the bot (same id), or a group (negative id)
 * message  one thing in a chat; ids grow over all chats and are never given twice
 */

export type Person = {
  id: number;
  firstName: string;
  lastName?: string | undefined;
  username?: string | undefined;
  languageCode: string;
  /** What the page says about them, such as "administrator". */
  note: string;
  started: boolean;
  blocked: boolean;
};

export type Chat = {
  id: number;
  type: 'private' | 'supergroup';
  title?: string | undefined;
  /** Everybody in it except the bot; in a private chat the one person. */
  memberIds: number[];
  administratorIds: number[];
};

export type StoredFile = {
  fileId: string;
  uniqueId: string;
  name: string;
  mimeType: string;
  size: number;
  width?: number | undefined;
  height?: number | undefined;
};

export type Button = {
  text: string;
  callback_data?: string | undefined;
  url?: string | undefined;
  copy_text?: { text: string } | undefined;
};

export type Content =
  | { kind: 'text' }
  | { kind: 'photo'; file: StoredFile }
  | { kind: 'document'; file: StoredFile }
  | { kind: 'sticker'; emoji: string; file: StoredFile }
  | { kind: 'contact'; phone: string; firstName: string }
  | { kind: 'location'; latitude: number; longitude: number }
  | { kind: 'group-created' };

/** One state a message was in. */
export type Revision = { at: number; text: string };

export type StoredMessage = {
  id: number;
  chatId: number;
  /** A person's id, or the bot's. */
  fromId: number;
  /** Unix seconds, as Telegram gives them. */
  date: number;
  editDate?: number | undefined;
  content: Content;
  /** The text, or the caption of a file. */
  text: string;
  entities: Entity[];
  buttons: Button[][];
  replyToId?: number | undefined;
  silent: boolean;
  /** How often it was edited; `revisions` keeps the last ones, the first being how it was sent. */
  edits: number;
  revisions: Revision[];
};

export type CommandScope = {
  type:
    | 'default'
    | 'all_private_chats'
    | 'all_group_chats'
    | 'all_chat_administrators'
    | 'chat'
    | 'chat_administrators'
    | 'chat_member';
  chat_id?: number | undefined;
  user_id?: number | undefined;
};

export type CommandList = {
  scope: CommandScope;
  languageCode: string;
  commands: { command: string; description: string }[];
};

export type Update = { update_id: number } & Record<string, unknown>;

/** What survives a restart. */
export type SavedState = {
  version: 1;
  counters: { updateId: number; messageId: number };
  botTexts: Record<string, string>;
  people: Person[];
  chats: Chat[];
  messages: StoredMessage[];
  commands: CommandList[];
  updates: Update[];
  allowedUpdates: string[];
};

export const limits = {
  messagesPerChat: 500,
  revisionsPerMessage: 200,
  pendingUpdates: 10_000,
  fileBytes: 50 * 1024 * 1024,
  allFilesBytes: 256 * 1024 * 1024,
} as const;
