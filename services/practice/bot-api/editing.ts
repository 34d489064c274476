import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { changeMessage, removeMessage } from '../conversation.ts';
import type { Entity } from '../entities/types.ts';
import type { Practice } from '../practice.ts';
import { badRequest } from '../refusal.ts';
import type { Button, StoredMessage } from '../state/model.ts';
import { findWritableChat } from './access.ts';
import { readButtons, replyMarkup } from './markup.ts';
import { defineMethod } from './method.ts';
import { chatId, entities, formatFields, json, messageId, text } from './parameters.ts';
import { readCaption, readText } from './sending.ts';
import { wireMessage } from './wire.ts';

const place = { chat_id: chatId, message_id: messageId };

const findOwn = (practice: Practice, chat_id: number | string, message_id: number): StoredMessage => {
  const chat = findWritableChat(practice, chat_id);
  const message = practice.world.message(chat.id, message_id);
  if (!message) throw badRequest('message to edit not found');
  if (message.fromId !== practice.bot.id) throw badRequest("message can't be edited");
  return message;
};

const bare = (buttons: Button[][]) => JSON.stringify(buttons);

const edit = (
  practice: Practice,
  message: StoredMessage,
  next: { text: string; entities: Entity[]; buttons: Button[][] },
) => {
  const same =
    message.text === next.text &&
    isDeepStrictEqual(message.entities, next.entities) &&
    bare(message.buttons) === bare(next.buttons);
  if (same) {
    throw badRequest(
      'message is not modified: specified new message content and reply markup are exactly the same as a ' +
        'current content and reply markup of the message',
    );
  }
  return wireMessage(practice, changeMessage(practice, message, next));
};

export const editMessageText = defineMethod(
  z.object({
    ...place,
    text: text.optional(),
    entities,
    ...formatFields,
    reply_markup: replyMarkup,
    link_preview_options: json(z.looseObject({})).optional(),
  }),
  ({ practice }, params) => {
    const formatted = readText(practice.log, params.text, params.parse_mode, params.entities);
    const buttons = readButtons(params.reply_markup);
    const message = findOwn(practice, params.chat_id, params.message_id);
    if (message.content.kind !== 'text') throw badRequest('there is no text in the message to edit');
    return edit(practice, message, { ...formatted, buttons });
  },
);

export const editMessageCaption = defineMethod(
  z.object({
    ...place,
    caption: text.optional(),
    caption_entities: entities,
    ...formatFields,
    reply_markup: replyMarkup,
  }),
  ({ practice }, params) => {
    const formatted = readCaption(practice.log, params.caption, params.parse_mode, params.caption_entities);
    const buttons = readButtons(params.reply_markup);
    const message = findOwn(practice, params.chat_id, params.message_id);
    if (message.content.kind === 'text') throw badRequest('there is no caption in the message to edit');
    return edit(practice, message, { ...formatted, buttons });
  },
);

export const editMessageReplyMarkup = defineMethod(
  z.object({ ...place, reply_markup: replyMarkup }),
  ({ practice }, params) => {
    const buttons = readButtons(params.reply_markup);
    const message = findOwn(practice, params.chat_id, params.message_id);
    return edit(practice, message, { text: message.text, entities: message.entities, buttons });
  },
);

export const deleteMessage = defineMethod(z.object(place), ({ practice }, params) => {
  const chat = findWritableChat(practice, params.chat_id);
  const message = practice.world.message(chat.id, params.message_id);
  if (!message) throw badRequest('message to delete not found');
  // The bot is no administrator of its groups.
  if (message.fromId !== practice.bot.id && chat.type !== 'private') {
    throw badRequest("message can't be deleted");
  }
  removeMessage(practice, message);
  return true;
});
