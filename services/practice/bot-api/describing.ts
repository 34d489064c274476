import { z } from 'zod';
import { badRequest } from '../refusal.ts';
import { findMetChat } from './access.ts';
import { defineMethod, type Method } from './method.ts';
import { chatId, integer, text } from './parameters.ts';
import { wireChat, wireSender, wireUser } from './wire.ts';

/** Who the bot is, and what it can learn about chats, people and files. */

export const getMe = defineMethod(z.object({}), ({ practice }) => practice.bot);

const described = (field: string, maxLength: number): { set: Method; get: Method } => ({
  set: defineMethod(
    z.object({ [field]: text.default(''), language_code: text.default('') }),
    ({ practice }, params) => {
      const value = params[field] ?? '';
      if (value.length > maxLength) throw badRequest(`bot ${field} is too long`);
      practice.world.botTexts.set(`${field}|${params.language_code}`, value);
      practice.changed();
      return true;
    },
  ),
  get: defineMethod(z.object({ language_code: text.default('') }), ({ practice }, { language_code }) => ({
    [field]: practice.world.botTexts.get(`${field}|${language_code}`) ?? '',
  })),
});

export const description = described('description', 512);
export const shortDescription = described('short_description', 120);
export const name = described('name', 64);

export const setChatMenuButton = defineMethod(z.object({}), () => true);

export const getChat = defineMethod(z.object({ chat_id: chatId }), ({ practice }, params) =>
  wireChat(practice, findMetChat(practice, params.chat_id)),
);

export const getChatMember = defineMethod(
  z.object({ chat_id: chatId, user_id: integer }),
  ({ practice }, params) => {
    const chat = findMetChat(practice, params.chat_id);
    const { user_id } = params;
    if (user_id === practice.bot.id) return { status: 'member', user: wireSender(practice, user_id) };
    const person = practice.world.person(user_id);
    if (!person) throw badRequest('user not found');
    const user = wireUser(person);
    if (!chat.memberIds.includes(user_id)) return { status: 'left', user };
    if (!chat.administratorIds.includes(user_id)) return { status: 'member', user };
    return { status: 'creator', user, is_anonymous: false };
  },
);

export const getChatAdministrators = defineMethod(z.object({ chat_id: chatId }), ({ practice }, params) => {
  const chat = findMetChat(practice, params.chat_id);
  if (chat.type === 'private') throw badRequest('there are no administrators in the private chat');
  return chat.administratorIds.map((id) => ({
    status: 'creator',
    user: wireSender(practice, id),
    is_anonymous: false,
  }));
});

/** Bots may download up to 20 MB. */
const maxDownload = 20 * 1024 * 1024;

export const getFile = defineMethod(z.object({ file_id: text.default('') }), ({ practice }, { file_id }) => {
  const file = practice.files.find(file_id);
  if (!file) throw badRequest('invalid file_id');
  if (file.size > maxDownload) throw badRequest('file is too big');
  return {
    file_id,
    file_unique_id: file.uniqueId,
    file_size: file.size,
    file_path: `${file.width === undefined ? 'documents' : 'photos'}/${file_id}`,
  };
});

export const answerCallbackQuery = defineMethod(
  z.object({
    callback_query_id: text.default(''),
    text: text.default(''),
    show_alert: z.preprocess((value) => value === true || value === 'true' || value === '1', z.boolean()),
    url: text.optional(),
  }),
  ({ practice }, params) => {
    practice.callbacks.answer(params.callback_query_id, {
      text: params.text,
      showAlert: params.show_alert,
      url: params.url,
    });
    return true;
  },
);
