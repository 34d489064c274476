import type { Entity } from './entities/types.ts';
import type { Practice } from './practice.ts';
import type { Button, Chat, Content, StoredFile, StoredMessage } from './state/model.ts';

/** What the page and the tests see of a message: everything a person would, and the times of its edits. */
export type MessageView = {
  id: number;
  chatId: number;
  from: { id: number; name: string; isBot: boolean };
  fromBot: boolean;
  /** Unix seconds. */
  date: number;
  editDate?: number | undefined;
  kind: Content['kind'];
  /** The text, or a file's caption. */
  text: string;
  entities: Entity[];
  buttons: Button[][];
  document?: FileView | undefined;
  photo?: FileView | undefined;
  sticker?: string | undefined;
  contact?: { phone: string; firstName: string } | undefined;
  location?: { latitude: number; longitude: number } | undefined;
  replyTo?: { id: number; name: string; text: string } | undefined;
  silent: boolean;
  edits: number;
  /** Milliseconds since 1970: when it was sent, then each edit. */
  revisions: number[];
};

export type FileView = {
  fileId: string;
  fileName: string;
  mimeType: string;
  size: number;
  width?: number | undefined;
  height?: number | undefined;
  /** Path on this server. */
  url: string;
};

export type ChatView = Chat & { name: string };

const fileView = ({ fileId, name, mimeType, size, width, height }: StoredFile): FileView => ({
  fileId,
  fileName: name,
  mimeType,
  size,
  width,
  height,
  url: `/practice/files/${fileId}`,
});

const contentView = (content: Content): Partial<MessageView> => {
  switch (content.kind) {
    case 'photo':
      return { photo: fileView(content.file) };
    case 'document':
      return { document: fileView(content.file) };
    case 'sticker':
      return { sticker: content.emoji };
    case 'contact':
      return { contact: { phone: content.phone, firstName: content.firstName } };
    case 'location':
      return { location: { latitude: content.latitude, longitude: content.longitude } };
    case 'text':
    case 'group-created':
      return {};
  }
};

export const summary = ({ content, text }: StoredMessage): string =>
  text ||
  { photo: 'Photo', document: 'File', sticker: 'Sticker', contact: 'Contact', location: 'Location' }[
    content.kind as string
  ] ||
  '';

export const nameOf = (practice: Practice, id: number): string => {
  if (id === practice.bot.id) return practice.bot.first_name;
  const person = practice.world.person(id);
  return person ? [person.firstName, person.lastName].filter(Boolean).join(' ') : `User ${id}`;
};

export const chatView = (practice: Practice, chat: Chat): ChatView => ({
  ...chat,
  name: chat.title ?? nameOf(practice, chat.id),
});

export const messageView = (practice: Practice, message: StoredMessage): MessageView => {
  const replyTo =
    message.replyToId === undefined ? undefined : practice.world.message(message.chatId, message.replyToId);
  const fromBot = message.fromId === practice.bot.id;
  return {
    id: message.id,
    chatId: message.chatId,
    from: { id: message.fromId, name: nameOf(practice, message.fromId), isBot: fromBot },
    fromBot,
    date: message.date,
    editDate: message.editDate,
    kind: message.content.kind,
    text: message.text,
    entities: message.entities,
    buttons: message.buttons,
    ...contentView(message.content),
    replyTo: replyTo && {
      id: replyTo.id,
      name: nameOf(practice, replyTo.fromId),
      text: summary(replyTo).slice(0, 200),
    },
    silent: message.silent,
    edits: message.edits,
    revisions: message.revisions.map(({ at }) => at),
  };
};
