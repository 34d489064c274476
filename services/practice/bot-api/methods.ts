import { deleteMyCommands, getMyCommands, setMyCommands } from './commands.ts';
import {
  answerCallbackQuery,
  description,
  getChat,
  getChatAdministrators,
  getChatMember,
  getFile,
  getMe,
  name,
  setChatMenuButton,
  shortDescription,
} from './describing.ts';
import { deleteMessage, editMessageCaption, editMessageReplyMarkup, editMessageText } from './editing.ts';
import type { Method } from './method.ts';
import { deleteWebhook, getUpdates, getWebhookInfo, setWebhook } from './polling.ts';
import { sendChatAction, sendDocument, sendMessage, sendPhoto } from './sending.ts';

/** The methods this server knows. As on Telegram, the case of a name does not matter. */
const methods: Record<string, Method> = {
  getMe,
  getUpdates,
  setWebhook,
  deleteWebhook,
  getWebhookInfo,
  sendMessage,
  sendDocument,
  sendPhoto,
  sendChatAction,
  editMessageText,
  editMessageCaption,
  editMessageReplyMarkup,
  deleteMessage,
  answerCallbackQuery,
  getFile,
  getChat,
  getChatMember,
  getChatAdministrators,
  setMyCommands,
  getMyCommands,
  deleteMyCommands,
  setChatMenuButton,
  setMyDescription: description.set,
  getMyDescription: description.get,
  setMyShortDescription: shortDescription.set,
  getMyShortDescription: shortDescription.get,
  setMyName: name.set,
  getMyName: name.get,
};

const byLowerCase = new Map(
  Object.entries(methods).map(([methodName, method]) => [methodName.toLowerCase(), { methodName, method }]),
);

export const findMethod = (methodName: string) => byLowerCase.get(methodName.toLowerCase());
