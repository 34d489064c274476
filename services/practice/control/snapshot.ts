import type { Presence } from '../bot-api/presence.ts';
import type { CallbackAnswer } from '../events.ts';
import type { Practice } from '../practice.ts';
import type { Person } from '../state/model.ts';
import { type ChatView, chatView, type MessageView, messageView } from '../view.ts';

/** Everything a watcher needs to begin with. */
export type Snapshot = {
  type: 'snapshot';
  bot: { id: number; name: string; username: string; polling: boolean; description: string };
  people: Person[];
  chats: ChatView[];
  messages: MessageView[];
  callbackAnswers: CallbackAnswer[];
};

export const takeSnapshot = (practice: Practice, presence: Presence): Snapshot => {
  const { bot, world, callbacks } = practice;
  return {
    type: 'snapshot',
    bot: {
      id: bot.id,
      name: bot.first_name,
      username: bot.username,
      polling: presence.isHere(),
      description: world.botTexts.get('description|') ?? '',
    },
    people: world.people(),
    chats: world.chats().map((chat) => chatView(practice, chat)),
    messages: world
      .chats()
      .flatMap(({ id }) => world.messages(id).map((message) => messageView(practice, message))),
    callbackAnswers: callbacks.answers(),
  };
};
