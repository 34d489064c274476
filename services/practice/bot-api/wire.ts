import type { Practice } from '../practice.ts';
import type { Chat, Content, Person, StoredMessage } from '../state/model.ts';

/** Our people, chats and messages as the Bot API writes them. Fields that are undefined are left out by JSON. */
export type Wire = Record<string, unknown>;

export const wireUser = (person: Person): Wire => ({
  id: person.id,
  is_bot: false,
  first_name: person.firstName,
  last_name: person.lastName,
  username: person.username,
  language_code: person.languageCode,
});

export const wireSender = (practice: Practice, id: number): Wire => {
  if (id === practice.bot.id) {
    const { first_name, username } = practice.bot;
    return { id, is_bot: true, first_name, username };
  }
  const person = practice.world.person(id);
  return person ? wireUser(person) : { id, is_bot: false, first_name: `User ${id}` };
};

export const wireChat = (practice: Practice, chat: Chat): Wire => {
  if (chat.type !== 'private') return { id: chat.id, type: chat.type, title: chat.title };
  const person = practice.world.person(chat.id);
  return {
    id: chat.id,
    type: 'private',
    first_name: person?.firstName,
    last_name: person?.lastName,
    username: person?.username,
  };
};

const wireContent = (content: Content): Wire => {
  switch (content.kind) {
    case 'text':
      return {};
    case 'photo': {
      const { fileId, uniqueId, size, width, height } = content.file;
      return { photo: [{ file_id: fileId, file_unique_id: uniqueId, file_size: size, width, height }] };
    }
    case 'document': {
      const { fileId, uniqueId, size, name, mimeType } = content.file;
      return {
        document: {
          file_id: fileId,
          file_unique_id: uniqueId,
          file_size: size,
          file_name: name,
          mime_type: mimeType,
        },
      };
    }
    case 'sticker':
      return {
        sticker: {
          file_id: content.file.fileId,
          file_unique_id: content.file.uniqueId,
          type: 'regular',
          width: 512,
          height: 512,
          is_animated: false,
          is_video: false,
          emoji: content.emoji,
        },
      };
    case 'contact':
      return { contact: { phone_number: content.phone, first_name: content.firstName } };
    case 'location':
      return { location: { latitude: content.latitude, longitude: content.longitude } };
    case 'group-created':
      return { group_chat_created: true };
  }
};

/** As in Telegram, the quoted message does not quote another one. */
export const wireMessage = (practice: Practice, message: StoredMessage, quoted = true): Wire => {
  const { world } = practice;
  const chat = world.chat(message.chatId);
  const replyTo =
    message.replyToId === undefined ? undefined : world.message(message.chatId, message.replyToId);
  const isText = message.content.kind === 'text';
  const text = message.text === '' ? undefined : message.text;
  const entities = message.entities.length > 0 ? message.entities : undefined;
  return {
    message_id: message.id,
    from: wireSender(practice, message.fromId),
    chat: chat && wireChat(practice, chat),
    date: message.date,
    edit_date: message.editDate,
    reply_to_message: quoted && replyTo ? wireMessage(practice, replyTo, false) : undefined,
    ...wireContent(message.content),
    ...(isText ? { text, entities } : { caption: text, caption_entities: entities }),
    reply_markup: message.buttons.length > 0 ? { inline_keyboard: message.buttons } : undefined,
  };
};
