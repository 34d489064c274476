/**
 * What the server knows, kept up to date by its event stream. A lost connection comes back by itself and
 * begins with a whole snapshot, so the page never has to guess what it missed.
 */
export const createStore = () => {
  const target = new EventTarget();
  const store = {
    bot: { id: 0, name: 'Berth', username: '', polling: false, description: '' },
    people: new Map(),
    chats: new Map(),
    connected: false,
    messagesOf: (chatId) => [...(messages.get(chatId)?.values() ?? [])],
    messageOf: (chatId, id) => messages.get(chatId)?.get(id),
    /** `handler` receives the event; returns nothing. Types are the server's, and `snapshot`, `connection`. */
    on: (type, handler) => target.addEventListener(type, (event) => handler(event.detail)),
    isOpen: (queryId) => !answered.has(queryId),
  };
  const messages = new Map();
  const answered = new Set();

  const inChat = (chatId) => {
    if (!messages.has(chatId)) messages.set(chatId, new Map());
    return messages.get(chatId);
  };

  const take = (event) => {
    switch (event.type) {
      case 'snapshot':
        store.bot = event.bot;
        store.people = new Map(event.people.map((person) => [person.id, person]));
        store.chats = new Map(event.chats.map((chat) => [chat.id, chat]));
        messages.clear();
        for (const message of event.messages) inChat(message.chatId).set(message.id, message);
        break;
      case 'message':
        event.isNew = !inChat(event.message.chatId).has(event.message.id);
        inChat(event.message.chatId).set(event.message.id, event.message);
        break;
      case 'message-deleted':
        inChat(event.chatId).delete(event.messageId);
        break;
      case 'history-deleted':
        messages.delete(event.chatId);
        break;
      case 'person':
        store.people.set(event.person.id, event.person);
        break;
      case 'chat':
        store.chats.set(event.chat.id, event.chat);
        break;
      case 'bot':
        store.bot.polling = event.polling;
        break;
      case 'callback-answer':
        answered.add(event.answer.queryId);
        break;
    }
    target.dispatchEvent(new CustomEvent(event.type, { detail: event }));
  };

  const setConnected = (connected) => {
    if (store.connected === connected) return;
    store.connected = connected;
    target.dispatchEvent(new CustomEvent('connection', { detail: { connected } }));
  };

  store.connect = () => {
    const source = new EventSource('/practice/events');
    source.addEventListener('open', () => setConnected(true));
    source.addEventListener('error', () => setConnected(false));
    source.addEventListener('message', ({ data }) => take(JSON.parse(data)));
  };
  return store;
};
