import type { Practice } from '../practice.ts';
import { badRequest, forbidden } from '../refusal.ts';
import type { Chat } from '../state/model.ts';

/** A chat the bot can see. Throws "chat not found". */
export const findChat = (practice: Practice, id: number | string): Chat => {
  const { world } = practice;
  const chat = typeof id === 'number' ? world.chat(id) : undefined;
  if (!chat) throw badRequest('chat not found');
  return chat;
};

/** A chat the bot may write to: its person wrote first, and does not block it. */
export const findWritableChat = (practice: Practice, id: number | string): Chat => {
  const chat = findChat(practice, id);
  const person = chat.type === 'private' ? practice.world.person(chat.id) : undefined;
  if (person && !person.started) throw forbidden("bot can't initiate conversation with a user");
  if (person?.blocked) throw forbidden('bot was blocked by the user');
  return chat;
};

/** A chat the bot has met: people it knows only by id are none of these. */
export const findMetChat = (practice: Practice, id: number | string): Chat => {
  const chat = findChat(practice, id);
  const person = chat.type === 'private' ? practice.world.person(chat.id) : undefined;
  if (person && !person.started) throw badRequest('chat not found');
  return chat;
};
