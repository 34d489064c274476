import { wireChat, wireMessage, wireUser } from './bot-api/wire.ts';
import { privateChat } from './cast.ts';
import { addChat, addMessage, changeMessage, removeHistory } from './conversation.ts';
import { detectEntities } from './entities/detect.ts';
import { fixFormattedText } from './entities/fix.ts';
import type { Practice } from './practice.ts';
import { Refusal } from './refusal.ts';
import type { Chat, Content, Person, StoredMessage } from './state/model.ts';

/** What people do in the practice chat, and what the bot hears of it. */

const refuse = (code: number, reason: string) => new Refusal(code, reason);

export const findPerson = (practice: Practice, id: number): Person => {
  const person = practice.world.person(id);
  if (!person) throw refuse(404, `there is no person ${id}`);
  return person;
};

export const findChat = (practice: Practice, id: number): Chat => {
  const chat = practice.world.chat(id);
  if (!chat) throw refuse(404, `there is no chat ${id}`);
  return chat;
};

export const findMessage = (practice: Practice, chatId: number, id: number): StoredMessage => {
  const message = practice.world.message(findChat(practice, chatId).id, id);
  if (!message) throw refuse(404, `there is no message ${id} in chat ${chatId}`);
  return message;
};

const tellPerson = (practice: Practice, person: Person): void => {
  practice.events.emit({ type: 'person', person });
  practice.changed();
};

export const addPerson = (practice: Practice, person: Omit<Person, 'started' | 'blocked'>): Person => {
  if (practice.world.person(person.id)) throw refuse(409, `there is a person ${person.id} already`);
  const added = { ...person, started: false, blocked: false };
  practice.world.addPerson(added);
  tellPerson(practice, added);
  addChat(practice, privateChat(added));
  return added;
};

const memberUpdate = (practice: Practice, chat: Chat, person: Person, before: string, now: string) => {
  const { first_name, username, id } = practice.bot;
  const user = { id, is_bot: true, first_name, username };
  const member = (status: string) => ({ status, user, ...(status === 'kicked' ? { until_date: 0 } : {}) });
  practice.updates.push('my_chat_member', {
    chat: wireChat(practice, chat),
    from: wireUser(person),
    date: Math.floor(Date.now() / 1000),
    old_chat_member: member(before),
    new_chat_member: member(now),
  });
};

export const createGroup = (
  practice: Practice,
  group: { id: number; title: string; memberIds: number[]; administratorIds: number[] },
): Chat => {
  if (practice.world.chat(group.id)) throw refuse(409, `there is a chat ${group.id} already`);
  const creator = findPerson(practice, group.administratorIds[0] ?? group.memberIds[0]!);
  for (const id of group.memberIds) findPerson(practice, id);
  const chat: Chat = { ...group, type: 'supergroup' };
  addChat(practice, chat);
  memberUpdate(practice, chat, creator, 'left', 'member');
  const message = addMessage(practice, chat, creator.id, {
    content: { kind: 'group-created' },
    text: '',
    entities: [],
  });
  practice.updates.push('message', wireMessage(practice, message));
  return chat;
};

export const setBlocked = (practice: Practice, person: Person, blocked: boolean): void => {
  if (person.blocked === blocked) return;
  person.blocked = blocked;
  const [before, now] = blocked ? ['member', 'kicked'] : ['kicked', 'member'];
  memberUpdate(practice, findChat(practice, person.id), person, before!, now!);
  tellPerson(practice, person);
};

/** In groups a bot with privacy mode hears commands, mentions of itself and replies to its messages. */
const botHears = (practice: Practice, chat: Chat, message: StoredMessage): boolean => {
  if (chat.type === 'private') return true;
  const own = `@${practice.bot.username}`.toLowerCase();
  const text = message.text.toLowerCase();
  const replied =
    message.replyToId === undefined ? undefined : practice.world.message(chat.id, message.replyToId);
  if (replied?.fromId === practice.bot.id) return true;
  if (text.includes(own)) return true;
  const command = /^\/[a-z0-9_]+(@[a-z0-9_]+)?/.exec(text);
  return command !== null && command[1] === undefined;
};

const maxText = 4096;

/** A client cuts a long text into several messages; it never sends half a symbol. */
const cut = (text: string): string[] => {
  const parts: string[] = [];
  let rest = text;
  while (rest.length > maxText) {
    const insideSymbol = /[\ud800-\udbff]/.test(rest[maxText - 1]!);
    const end = insideSymbol ? maxText - 1 : maxText;
    parts.push(rest.slice(0, end));
    rest = rest.slice(end);
  }
  return rest.trim() === '' && parts.length > 0 ? parts : [...parts, rest];
};

export type Writing = {
  content: Content;
  text: string;
  replyToId?: number | undefined;
};

/** Sends as a person; a long text becomes several messages. */
export const writeAs = (
  practice: Practice,
  chat: Chat,
  person: Person,
  writing: Writing,
): StoredMessage[] => {
  if (!chat.memberIds.includes(person.id)) throw refuse(403, `${person.firstName} is not in this chat`);
  if (chat.type === 'private' && person.blocked) throw refuse(409, 'unblock the bot first');
  if (writing.replyToId !== undefined) findMessage(practice, chat.id, writing.replyToId);
  const texts = cut(writing.text).map((part) => fixFormattedText(part, []));
  if (writing.content.kind === 'text' && texts.every(({ text }) => text === '')) {
    throw refuse(400, 'an empty message cannot be sent');
  }
  if (chat.type === 'private' && !person.started) {
    person.started = true;
    tellPerson(practice, person);
  }
  return texts.map((formatted, part) => {
    const message = addMessage(practice, chat, person.id, {
      content: part === 0 ? writing.content : { kind: 'text' },
      ...formatted,
      replyToId: writing.replyToId,
    });
    if (botHears(practice, chat, message)) practice.updates.push('message', wireMessage(practice, message));
    return message;
  });
};

export const editAs = (
  practice: Practice,
  message: StoredMessage,
  person: Person,
  raw: string,
): StoredMessage => {
  if (message.fromId !== person.id) throw refuse(403, 'people edit only what they wrote');
  const { text } = fixFormattedText(raw, []);
  if (text === '') throw refuse(400, 'a message cannot be edited to nothing');
  changeMessage(practice, message, { text, entities: detectEntities(text) });
  const chat = findChat(practice, message.chatId);
  if (botHears(practice, chat, message)) {
    practice.updates.push('edited_message', wireMessage(practice, message));
  }
  return message;
};

/** Which button: its place counted over all rows, its label, or its data. */
export type ButtonChoice = {
  index?: number | undefined;
  label?: string | undefined;
  data?: string | undefined;
};

/** Presses a button. Returns the query the bot is to answer, or the address a link button opens. */
export const press = (
  practice: Practice,
  message: StoredMessage,
  person: Person,
  { index, label, data }: ButtonChoice,
): { queryId: string } | { url: string } => {
  const buttons = message.buttons.flat();
  const button =
    index !== undefined
      ? buttons[index]
      : buttons.find((b) => (label === undefined ? b.callback_data === data : b.text === label));
  if (!button) {
    const there = buttons.map(({ text }) => JSON.stringify(text)).join(', ') || 'none';
    throw refuse(404, `there is no such button; the message has ${there}`);
  }
  if (button.url !== undefined) return { url: button.url };
  if (button.callback_data === undefined) throw refuse(400, 'this button asks nothing of the bot');
  const queryId = practice.callbacks.open({
    chatId: message.chatId,
    messageId: message.id,
    personId: person.id,
  });
  practice.updates.push('callback_query', {
    id: queryId,
    from: wireUser(person),
    message: wireMessage(practice, message),
    chat_instance: String(message.chatId),
    data: button.callback_data,
  });
  return { queryId };
};

export const deleteHistory = (practice: Practice, chat: Chat): void => removeHistory(practice, chat);
