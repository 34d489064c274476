import { z } from 'zod';
import type { Log } from '../../../shared/log.ts';
import { addMessage } from '../conversation.ts';
import type { FormattedText } from '../entities/types.ts';
import type { Practice } from '../practice.ts';
import { badRequest } from '../refusal.ts';
import type { Chat, StoredFile } from '../state/model.ts';
import { findWritableChat } from './access.ts';
import { readButtons, replyMarkup } from './markup.ts';
import { type Call, defineMethod } from './method.ts';
import {
  chatId,
  entities,
  flag,
  formatFields,
  json,
  readFormatted,
  replyFields,
  text,
} from './parameters.ts';
import { wireMessage } from './wire.ts';

export const maxText = 4096;
export const maxCaption = 1024;

/** Text of a message: neither empty nor too long. */
export const readText = (
  log: Log,
  raw: string | undefined,
  parseMode: string | undefined,
  given: z.output<typeof entities>,
): FormattedText => {
  const formatted = readFormatted(log, raw ?? '', parseMode, given);
  if (formatted.text === '') throw badRequest('message text is empty');
  if (formatted.text.length > maxText) throw badRequest('message is too long');
  return formatted;
};

export const readCaption = (
  log: Log,
  raw: string | undefined,
  parseMode: string | undefined,
  given: z.output<typeof entities>,
): FormattedText => {
  const formatted = readFormatted(log, raw ?? '', parseMode, given);
  if (formatted.text.length > maxCaption) throw badRequest('message caption is too long');
  return formatted;
};

type Reply = z.output<z.ZodObject<typeof replyFields>>;

const findReplied = (practice: Practice, chat: Chat, reply: Reply): number | undefined => {
  const id = reply.reply_parameters?.message_id ?? reply.reply_to_message_id;
  if (id === undefined || practice.world.message(chat.id, id)) return id;
  const optional = reply.reply_parameters?.allow_sending_without_reply ?? reply.allow_sending_without_reply;
  if (optional) return undefined;
  throw badRequest('message to be replied not found');
};

export const sendMessage = defineMethod(
  z.object({
    chat_id: chatId,
    text: text.optional(),
    entities,
    ...formatFields,
    ...replyFields,
    reply_markup: replyMarkup,
    disable_notification: flag,
    link_preview_options: json(z.looseObject({})).optional(),
  }),
  ({ practice }, params) => {
    const formatted = readText(practice.log, params.text, params.parse_mode, params.entities);
    const chat = findWritableChat(practice, params.chat_id);
    const message = addMessage(practice, chat, practice.bot.id, {
      content: { kind: 'text' },
      ...formatted,
      buttons: readButtons(params.reply_markup),
      replyToId: findReplied(practice, chat, params),
      silent: params.disable_notification,
    });
    return wireMessage(practice, message);
  },
);

const findFile = (
  { practice, uploads }: Call,
  kind: 'photo' | 'document',
  value: string | undefined,
): StoredFile => {
  if (!value) throw badRequest(`there is no ${kind} in the request`);
  const upload = uploads.get(value.replace(/^attach:\/\//, ''));
  if (upload) {
    if (upload.bytes.length === 0) throw badRequest('file must be non-empty');
    if (kind === 'photo') return practice.files.addPhoto(upload.bytes, upload.name);
    return practice.files.add(upload.bytes, upload.name, upload.mimeType);
  }
  const known = practice.files.find(value);
  if (!known) throw badRequest('wrong file identifier/HTTP URL specified');
  if (kind === 'photo' && known.width === undefined)
    throw badRequest("can't use file of type Document as Photo");
  return known;
};

const fileFields = {
  chat_id: chatId,
  caption: text.optional(),
  caption_entities: entities,
  ...formatFields,
  ...replyFields,
  reply_markup: replyMarkup,
  disable_notification: flag,
};

type FileParams = z.output<z.ZodObject<typeof fileFields>>;

const sendFile = (call: Call, kind: 'photo' | 'document', value: string | undefined, params: FileParams) => {
  const { practice } = call;
  const caption = readCaption(practice.log, params.caption, params.parse_mode, params.caption_entities);
  const buttons = readButtons(params.reply_markup);
  const chat = findWritableChat(practice, params.chat_id);
  const replyToId = findReplied(practice, chat, params);
  const file = findFile(call, kind, value);
  const message = addMessage(practice, chat, practice.bot.id, {
    content: { kind, file },
    ...caption,
    buttons,
    replyToId,
    silent: params.disable_notification,
  });
  return wireMessage(practice, message);
};

export const sendDocument = defineMethod(
  z.object({ ...fileFields, document: text.optional() }),
  (call, { document, ...params }) => sendFile(call, 'document', document, params),
);

export const sendPhoto = defineMethod(
  z.object({ ...fileFields, photo: text.optional() }),
  (call, { photo, ...params }) => sendFile(call, 'photo', photo, params),
);

const actions = [
  'typing',
  'upload_photo',
  'record_video',
  'upload_video',
  'record_voice',
  'upload_voice',
  'upload_document',
  'choose_sticker',
  'find_location',
  'record_video_note',
  'upload_video_note',
];

export const sendChatAction = defineMethod(
  z.object({
    chat_id: chatId,
    action: z.enum(actions, { error: 'wrong parameter action in request' }),
  }),
  ({ practice }, params) => {
    const chat = findWritableChat(practice, params.chat_id);
    practice.events.emit({ type: 'chat-action', chatId: chat.id, action: params.action });
    return true;
  },
);
