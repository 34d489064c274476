import type { Chat, CommandList, CommandScope, Person, StoredMessage } from './state/model.ts';
import { limits } from './state/model.ts';

/** The people, chats, messages and command lists, with the few look-ups that everything else uses. */
export type World = {
  people(): Person[];
  person(id: number): Person | undefined;
  addPerson(person: Person): void;
  chats(): Chat[];
  chat(id: number): Chat | undefined;
  addChat(chat: Chat): void;
  /** In the order they were sent. */
  messages(chatId: number): StoredMessage[];
  message(chatId: number, id: number): StoredMessage | undefined;
  /** Adds it and returns the messages that had to go for it. */
  addMessage(message: StoredMessage): StoredMessage[];
  removeMessage(chatId: number, id: number): boolean;
  removeHistory(chatId: number): StoredMessage[];
  commandLists(): CommandList[];
  setCommands(list: CommandList): void;
  commands(scope: CommandScope, languageCode: string): CommandList | undefined;
  botTexts: Map<string, string>;
};

const scopeKey = ({ type, chat_id, user_id }: CommandScope, languageCode: string): string =>
  [type, chat_id, user_id, languageCode].join('|');

export const createWorld = (saved: {
  people: Person[];
  chats: Chat[];
  messages: StoredMessage[];
  commands: CommandList[];
  botTexts: Record<string, string>;
}): World => {
  const people = new Map(saved.people.map((person) => [person.id, person]));
  const chats = new Map(saved.chats.map((chat) => [chat.id, chat]));
  const messages = new Map<number, Map<number, StoredMessage>>();
  const commands = new Map(saved.commands.map((list) => [scopeKey(list.scope, list.languageCode), list]));

  const inChat = (chatId: number) => {
    const existing = messages.get(chatId) ?? new Map<number, StoredMessage>();
    messages.set(chatId, existing);
    return existing;
  };
  for (const message of saved.messages) inChat(message.chatId).set(message.id, message);

  return {
    people: () => [...people.values()],
    person: (id) => people.get(id),
    addPerson: (person) => people.set(person.id, person),
    chats: () => [...chats.values()],
    chat: (id) => chats.get(id),
    addChat: (chat) => chats.set(chat.id, chat),
    messages: (chatId) => [...(messages.get(chatId)?.values() ?? [])],
    message: (chatId, id) => messages.get(chatId)?.get(id),
    addMessage: (message) => {
      const all = inChat(message.chatId);
      all.set(message.id, message);
      const surplus = [...all.values()].slice(0, Math.max(0, all.size - limits.messagesPerChat));
      for (const { id } of surplus) all.delete(id);
      return surplus;
    },
    removeMessage: (chatId, id) => messages.get(chatId)?.delete(id) ?? false,
    removeHistory: (chatId) => {
      const all = [...inChat(chatId).values()];
      messages.delete(chatId);
      return all;
    },
    commandLists: () => [...commands.values()],
    setCommands: (list) => {
      const key = scopeKey(list.scope, list.languageCode);
      if (list.commands.length > 0) commands.set(key, list);
      else commands.delete(key);
    },
    commands: (scope, languageCode) => commands.get(scopeKey(scope, languageCode)),
    botTexts: new Map(Object.entries(saved.botTexts)),
  };
};
