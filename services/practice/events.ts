import type { Person } from './state/model.ts';
import type { ChatView, MessageView } from './view.ts';

/** Everything that changes, told to whoever watches: the page, and the tests. Nothing is kept for latecomers;
 * a watcher begins with a snapshot and goes on with these. */
export type PracticeEvent =
  | { type: 'person'; person: Person }
  | { type: 'chat'; chat: ChatView }
  | { type: 'message'; message: MessageView }
  | { type: 'message-deleted'; chatId: number; messageId: number }
  | { type: 'history-deleted'; chatId: number }
  | { type: 'chat-action'; chatId: number; action: string }
  | { type: 'callback-answer'; answer: CallbackAnswer }
  | { type: 'commands' }
  | { type: 'bot'; polling: boolean };

export type CallbackAnswer = {
  queryId: string;
  chatId: number;
  messageId: number;
  personId: number;
  text: string;
  showAlert: boolean;
  url?: string | undefined;
};

export type EventStream = {
  emit(event: PracticeEvent): void;
  /** Calls `watcher` for every event from now on; returns how to stop. */
  watch(watcher: (event: PracticeEvent) => void): () => void;
};

export const createEventStream = (): EventStream => {
  const watchers = new Set<(event: PracticeEvent) => void>();
  return {
    emit: (event) => {
      for (const watcher of [...watchers]) watcher(event);
    },
    watch: (watcher) => {
      watchers.add(watcher);
      return () => watchers.delete(watcher);
    },
  };
};
