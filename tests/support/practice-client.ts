import { EventSource } from 'eventsource';
import type { Call } from '../../services/practice/call-log.ts';
import type { Snapshot } from '../../services/practice/control/snapshot.ts';
import type { CallbackAnswer, PracticeEvent } from '../../services/practice/events.ts';
import type { Fault, FaultRequest } from '../../services/practice/faults.ts';
import type { Person, Revision, Update } from '../../services/practice/state/model.ts';
import type { ChatView, MessageView } from '../../services/practice/view.ts';

/**
 * Drives the practice chat from a test: writes and presses as people, and waits for what the bot does.
 * `ChatMessage.text` is a file's caption where there is a file. Every wait ends by an event or, with the
 * chat so far in its error, at its time-out (milliseconds).
 */

export type ChatMessage = MessageView;
export type Matches = (message: ChatMessage) => boolean;
export type Wait = { timeoutMs?: number };

/** What one member does and sees in one chat. */
export type Participant = {
  readonly id: number;
  readonly chatId: number;
  /** Sends a text; returns the message (the first, where a client would have cut it in several). */
  send(text: string, options?: { replyTo?: number }): Promise<ChatMessage>;
  edit(message: ChatMessage, text: string): Promise<ChatMessage>;
  /** Presses a button by its label or its place; resolves with the query's id once the bot can see it. */
  press(message: ChatMessage, button: string | number): Promise<string>;
  /** Presses, and waits for the bot's answer to it. */
  pressAndWait(message: ChatMessage, button: string | number, wait?: Wait): Promise<CallbackAnswer>;
  sendPhoto(options?: { bytes?: Uint8Array; caption?: string }): Promise<ChatMessage>;
  sendDocument(name: string, bytes: Uint8Array, caption?: string): Promise<ChatMessage>;
  sendSticker(emoji?: string): Promise<ChatMessage>;
  sendContact(phone: string, firstName: string): Promise<ChatMessage>;
  sendLocation(latitude: number, longitude: number): Promise<ChatMessage>;
  block(): Promise<void>;
  unblock(): Promise<void>;
  deleteHistory(): Promise<void>;
  /** What the command menu offers here. */
  commands(): Promise<{ command: string; description: string }[]>;
  /** The chat as it is, oldest first. */
  messages(): ChatMessage[];
  waitForMessage(matches: Matches, wait?: Wait): Promise<ChatMessage>;
  /** Sends, then waits for a message **of the bot** that is newer than what was sent. */
  ask(text: string, matches?: Matches, wait?: Wait): Promise<ChatMessage>;
};

export type PracticeClient = {
  readonly url: string;
  readonly bot: Snapshot['bot'];
  people(): Person[];
  addPerson(person: {
    id?: number;
    firstName: string;
    lastName?: string;
    username?: string;
    languageCode?: string;
  }): Promise<Person>;
  createGroup(group: {
    id?: number;
    title: string;
    members: number[];
    administrators?: number[];
  }): Promise<ChatView>;
  /** A person in their own chat with the bot. */
  person(id: number): Participant;
  /** A person in a group. */
  group(chatId: number, personId: number): Participant;
  messages(chatId: number): ChatMessage[];
  /** Waits for a message, new, edited or there already. In a private chat `chatId` is the person's id. */
  waitForMessage(chatId: number, matches: Matches, wait?: Wait): Promise<ChatMessage>;
  waitForEvent(matches: (event: PracticeEvent) => boolean, wait?: Wait): Promise<PracticeEvent>;
  revisions(message: ChatMessage): Promise<Revision[]>;
  /** The bytes of a message's document or photo. */
  download(message: ChatMessage): Promise<Uint8Array>;
  /** Makes calls of the bot go wrong; returns how to end it. */
  fault(request: FaultRequest): Promise<Fault & { clear(): Promise<void> }>;
  clearFaults(): Promise<void>;
  redeliver(updateId: number): Promise<void>;
  /** Queues updates as they are; several are delivered in one batch. */
  rawUpdate(update: Record<string, unknown> | Record<string, unknown>[]): Promise<unknown[]>;
  updates(): Promise<{ pending: Update[]; recent: Update[] }>;
  callbackAnswers(): CallbackAnswer[];
  calls(): Promise<Call[]>;
  close(): void;
};

const defaultTimeoutMs = 10_000;

/** A red square of 8 × 8 pixels. */
const picture = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAEklEQVR4nGP4z8CAFWEXHbQSACj/P8Fu7N9hAAAAAElFTkSuQmCC',
  'base64',
);

const describe = (messages: ChatMessage[]): string =>
  messages
    .slice(-30)
    .map((message) => {
      const buttons = message.buttons.flat().map(({ text }) => `[${text}]`);
      const edits = message.edits > 0 ? ` (edited ${message.edits}×)` : '';
      const content = message.kind === 'text' ? '' : `<${message.kind}> `;
      return `  ${message.id} ${message.from.name}${edits}: ${content}${message.text} ${buttons.join(' ')}`;
    })
    .join('\n') || '  (nothing)';

export const connectPractice = async (url: string): Promise<PracticeClient> => {
  const people = new Map<number, Person>();
  const messages = new Map<number, Map<number, ChatMessage>>();
  const answers: CallbackAnswer[] = [];
  const watchers = new Set<(event: PracticeEvent) => void>();
  let bot: Snapshot['bot'] | undefined;

  const inChat = (chatId: number) => {
    const all = messages.get(chatId) ?? new Map<number, ChatMessage>();
    messages.set(chatId, all);
    return all;
  };
  const keepMessage = (message: ChatMessage) => {
    inChat(message.chatId).set(message.id, message);
    return message;
  };
  const take = (event: PracticeEvent | Snapshot) => {
    switch (event.type) {
      case 'snapshot':
        bot = event.bot;
        messages.clear();
        answers.splice(0, answers.length, ...event.callbackAnswers);
        for (const person of event.people) people.set(person.id, person);
        for (const message of event.messages) {
          keepMessage(message);
          for (const watcher of [...watchers]) watcher({ type: 'message', message });
        }
        return;
      case 'message':
        keepMessage(event.message);
        break;
      case 'message-deleted':
        inChat(event.chatId).delete(event.messageId);
        break;
      case 'history-deleted':
        messages.delete(event.chatId);
        break;
      case 'person':
        people.set(event.person.id, event.person);
        break;
      case 'callback-answer':
        answers.push(event.answer);
        break;
      case 'chat':
      case 'chat-action':
      case 'commands':
      case 'bot':
        break;
    }
    for (const watcher of [...watchers]) watcher(event);
  };

  const source = new EventSource(new URL('/practice/events', url));
  const snapshot = Promise.withResolvers<void>();
  let connected = false;
  source.addEventListener('message', ({ data }) => {
    take(JSON.parse(data));
    connected = true;
    snapshot.resolve();
  });
  source.addEventListener('error', ({ message }) => {
    // Later losses are mended by the event source itself, which begins again with a snapshot.
    if (!connected) snapshot.reject(new Error(`no practice chat at ${url}: ${message}`));
  });
  await snapshot.promise.catch((error) => {
    source.close();
    throw error;
  });

  const call = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const form = body instanceof FormData;
    const response = await fetch(new URL(path, url), {
      method,
      ...(body === undefined ? {} : { body: form ? body : JSON.stringify(body) }),
      ...(body === undefined || form ? {} : { headers: { 'content-type': 'application/json' } }),
    });
    const answer = (await response.json()) as T;
    if (!response.ok) {
      const { description } = answer as { description?: string };
      throw new Error(`${method} ${path}: ${response.status} ${description}`);
    }
    return answer;
  };

  const listOf = (chatId: number) => [...inChat(chatId).values()].sort((a, b) => a.id - b.id);

  /** The first defined value that `find` gives for an event, at the latest when the time is over. */
  const waitFor = <T>(
    find: (event: PracticeEvent) => T | undefined,
    timeoutMs: number,
    explain: () => string,
  ): Promise<T> => {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const at = new Error('waited here');
    const watcher = (event: PracticeEvent) => {
      try {
        const found = find(event);
        if (found !== undefined) resolve(found);
      } catch (error) {
        reject(error);
      }
    };
    const timer = setTimeout(
      () => reject(new Error(`${explain()} after ${timeoutMs} ms`, { cause: at })),
      timeoutMs,
    );
    watchers.add(watcher);
    return promise.finally(() => {
      clearTimeout(timer);
      watchers.delete(watcher);
    });
  };

  const waitForMessage: PracticeClient['waitForMessage'] = async (chatId, matches, wait = {}) => {
    const there = listOf(chatId).find(matches);
    if (there) return there;
    return waitFor(
      (event) =>
        event.type === 'message' && event.message.chatId === chatId && matches(event.message)
          ? event.message
          : undefined,
      wait.timeoutMs ?? defaultTimeoutMs,
      () => `no such message in chat ${chatId}; it reads\n${describe(listOf(chatId))}\n`,
    );
  };

  const participant = (id: number, chatId: number): Participant => {
    const chat = `/practice/chats/${chatId}`;
    const write = async (body: Record<string, unknown>) => {
      const sent = await call<ChatMessage[]>('POST', `${chat}/messages`, { from: id, ...body });
      // The event may arrive after the answer; a test that looks at once is to find its message.
      for (const message of sent) if (!inChat(chatId).has(message.id)) keepMessage(message);
      return sent[0]!;
    };
    const sendFile = async (kind: string, name: string, bytes: Uint8Array, caption: string) => {
      const form = new FormData();
      form.set('kind', kind);
      form.set('from', String(id));
      form.set('caption', caption);
      form.set('file', new Blob([Buffer.from(bytes)]), name);
      const sent = await call<ChatMessage[]>('POST', `${chat}/files`, form);
      return keepMessage(sent[0]!);
    };
    const press: Participant['press'] = async (message, button) => {
      const choice = typeof button === 'number' ? { index: button } : { label: button };
      const path = `${chat}/messages/${message.id}/press`;
      const { queryId } = await call<{ queryId: string }>('POST', path, { from: id, ...choice });
      return queryId;
    };
    const send: Participant['send'] = (text, options = {}) => write({ text, ...options });
    const waitHere = (matches: Matches, wait?: Wait) => waitForMessage(chatId, matches, wait);
    const setBlocked = async (blocked: boolean) => {
      await call('POST', `/practice/people/${id}/block`, { blocked });
    };
    return {
      id,
      chatId,
      send,
      press,
      edit: async (message, text) => call('PUT', `${chat}/messages/${message.id}`, { from: id, text }),
      pressAndWait: async (message, button, wait = {}) => {
        const queryId = await press(message, button);
        const there = answers.find((answer) => answer.queryId === queryId);
        if (there) return there;
        return waitFor(
          (event) =>
            event.type === 'callback-answer' && event.answer.queryId === queryId ? event.answer : undefined,
          wait.timeoutMs ?? defaultTimeoutMs,
          () => `the press of ${JSON.stringify(button)} was not answered;\n${describe(listOf(chatId))}\n`,
        );
      },
      sendPhoto: ({ bytes = picture, caption = '' } = {}) => sendFile('photo', 'photo.png', bytes, caption),
      sendDocument: (name, bytes, caption = '') => sendFile('document', name, bytes, caption),
      sendSticker: (emoji = '👋') => write({ sticker: { emoji } }),
      sendContact: (phone, firstName) => write({ contact: { phone, firstName } }),
      sendLocation: (latitude, longitude) => write({ location: { latitude, longitude } }),
      block: () => setBlocked(true),
      unblock: () => setBlocked(false),
      deleteHistory: async () => {
        await call('DELETE', `${chat}/history`);
      },
      commands: () => call('GET', `${chat}/commands?person=${id}`),
      messages: () => listOf(chatId),
      waitForMessage: waitHere,
      ask: async (text, matches = () => true, wait) => {
        const sent = await send(text);
        return waitHere((message) => message.fromBot && message.id > sent.id && matches(message), wait);
      },
    };
  };

  return {
    url,
    bot: bot!,
    people: () => [...people.values()],
    addPerson: async (person) => {
      const added = await call<Person>('POST', '/practice/people', person);
      people.set(added.id, added);
      return added;
    },
    createGroup: (group) => call('POST', '/practice/groups', group),
    person: (id) => participant(id, id),
    group: (chatId, personId) => participant(personId, chatId),
    messages: listOf,
    waitForMessage,
    waitForEvent: (matches, wait = {}) =>
      waitFor(
        (event) => (matches(event) ? event : undefined),
        wait.timeoutMs ?? defaultTimeoutMs,
        () => 'no such event',
      ),
    revisions: ({ chatId, id }) => call('GET', `/practice/chats/${chatId}/messages/${id}/revisions`),
    download: async (message) => {
      const file = message.document ?? message.photo;
      if (!file) throw new Error(`message ${message.id} has no file`);
      const response = await fetch(new URL(file.url, url));
      if (!response.ok) throw new Error(`${file.url}: ${response.status}`);
      return response.bytes();
    },
    fault: async (request) => {
      const fault = await call<Fault>('POST', '/practice/faults', request);
      const clear = async () => {
        await call('DELETE', `/practice/faults/${fault.id}`);
      };
      return { ...fault, clear };
    },
    clearFaults: async () => {
      await call('DELETE', '/practice/faults');
    },
    redeliver: async (updateId) => {
      await call('POST', `/practice/updates/${updateId}/redeliver`);
    },
    rawUpdate: async (update) =>
      (await call<{ updateIds: unknown[] }>('POST', '/practice/updates', update)).updateIds,
    updates: () => call('GET', '/practice/updates'),
    callbackAnswers: () => [...answers],
    calls: () => call('GET', '/practice/calls'),
    close: () => source.close(),
  };
};
