import type { Entity } from './entities/types.ts';
import type { Practice } from './practice.ts';
import { type Button, type Chat, type Content, limits, type StoredMessage } from './state/model.ts';
import { chatView, messageView } from './view.ts';

/** Adding, changing and removing messages, whoever does it; every change is told to the watchers. */

export type Draft = {
  content: Content;
  text: string;
  entities: Entity[];
  buttons?: Button[][];
  replyToId?: number | undefined;
  silent?: boolean;
};

const forgetFiles = (practice: Practice, messages: StoredMessage[]): void => {
  for (const { content } of messages) {
    // The bot may send a file it has the id of again; only a file that no message shows any more goes.
    if (!('file' in content)) continue;
    const { fileId } = content.file;
    const shown = practice.world
      .chats()
      .some(({ id }) =>
        practice.world.messages(id).some((m) => 'file' in m.content && m.content.file.fileId === fileId),
      );
    if (!shown) practice.files.remove(fileId);
  }
};

const tell = (practice: Practice, message: StoredMessage): void => {
  practice.events.emit({ type: 'message', message: messageView(practice, message) });
  practice.changed();
};

export const addMessage = (practice: Practice, chat: Chat, fromId: number, draft: Draft): StoredMessage => {
  const now = Date.now();
  const message: StoredMessage = {
    id: practice.counters.takeMessageId(),
    chatId: chat.id,
    fromId,
    date: Math.floor(now / 1000),
    content: draft.content,
    text: draft.text,
    entities: draft.entities,
    buttons: draft.buttons ?? [],
    replyToId: draft.replyToId,
    silent: draft.silent ?? false,
    edits: 0,
    revisions: [{ at: now, text: draft.text }],
  };
  forgetFiles(practice, practice.world.addMessage(message));
  tell(practice, message);
  return message;
};

export const changeMessage = (
  practice: Practice,
  message: StoredMessage,
  change: { text?: string; entities?: Entity[]; buttons?: Button[][] },
): StoredMessage => {
  const now = Date.now();
  Object.assign(message, change);
  message.editDate = Math.floor(now / 1000);
  message.edits++;
  message.revisions.push({ at: now, text: message.text });
  if (message.revisions.length > limits.revisionsPerMessage) message.revisions.splice(1, 1);
  tell(practice, message);
  return message;
};

export const removeMessage = (practice: Practice, message: StoredMessage): void => {
  practice.world.removeMessage(message.chatId, message.id);
  forgetFiles(practice, [message]);
  practice.events.emit({ type: 'message-deleted', chatId: message.chatId, messageId: message.id });
  practice.changed();
};

export const removeHistory = (practice: Practice, chat: Chat): void => {
  forgetFiles(practice, practice.world.removeHistory(chat.id));
  practice.events.emit({ type: 'history-deleted', chatId: chat.id });
  practice.changed();
};

export const addChat = (practice: Practice, chat: Chat): void => {
  practice.world.addChat(chat);
  practice.events.emit({ type: 'chat', chat: chatView(practice, chat) });
  practice.changed();
};
