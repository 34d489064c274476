import * as api from './api.js';
import { createChatHead } from './chat-head.js';
import { createComposer } from './composer.js';
import { intro } from './intro.js';
import { createMessageList } from './message-list.js';
import { alertBox, askFor, complain, copyText, toast } from './notices.js';
import { createReadMarks } from './read-marks.js';
import { drawSidebar } from './sidebar.js';
import { createStore } from './store.js';

/** Puts the page together. The open chat is in the address (`#1001`), so that it survives a reload. */

const typingMs = 5500;
const answerMs = 15_000;
const actionTexts = {
  typing: 'typing…',
  upload_document: 'sending a file…',
  upload_photo: 'sending a photo…',
};

const app = document.getElementById('app');
const store = createStore();
const marks = createReadMarks();
const actingIn = new Map();
const drafts = new Map();
const openSpoilers = new Set();
const pending = new Map();
let currentId;
let reply;
let editing;
let typingTimer;
let commandQuestions = 0;

const chat = () => store.chats.get(currentId);
const actingAs = () =>
  chat().type === 'private' ? currentId : (actingIn.get(currentId) ?? chat().memberIds[0]);
const person = () => store.people.get(actingAs());
const isVisible = () => document.visibilityState === 'visible' && app.dataset.pane === 'chat';

const markRead = () => {
  if (!chat() || !isVisible()) return;
  if (marks.read(currentId, store.messagesOf(currentId).at(-1)?.id)) sidebar();
};

const sidebar = () =>
  drawSidebar(document.getElementById('chat-list'), {
    store,
    currentId,
    open: (id) => {
      location.hash = String(id);
      app.dataset.pane = 'chat';
      if (id === currentId) markRead();
    },
    unreadOf: (id) => marks.unread(id, store.messagesOf(id)),
  });

const list = createMessageList({ onRead: markRead });
const head = createChatHead({
  onBack: () => {
    app.dataset.pane = 'list';
    document.querySelector('[aria-current="true"]')?.focus();
  },
  onActAs: (id) => {
    actingIn.set(currentId, id);
    showChat();
  },
  onBlock: () => api.setBlocked(actingAs(), !person().blocked).catch(complain),
  onClear: () => api.clearHistory(currentId).catch(complain),
});
const composer = createComposer({
  onSend: (text) => {
    const sending = editing
      ? api.edit(currentId, editing.id, { from: actingAs(), text })
      : api.write(currentId, { from: actingAs(), text, replyTo: reply?.id });
    sending.catch(complain);
    dropContext();
  },
  onFile: (file, caption) => api.sendFile(currentId, actingAs(), file, caption).catch(complain),
  onStart: () => api.write(currentId, { text: '/start' }).then(() => composer.focus(), complain),
  onUnblock: () =>
    api
      .setBlocked(actingAs(), false)
      .then(() => api.write(currentId, { text: '/start' }))
      .catch(complain),
  onCancel: () => dropContext(),
});

const dropContext = () => {
  reply = undefined;
  editing = undefined;
  composer.clearContext();
};

const redraw = (chatId, messageId) => {
  const message = store.messageOf(chatId, messageId);
  if (chatId === currentId && message) list.put(message);
};

const endPress = (queryId) => {
  const press = pending.get(queryId);
  if (!press) return;
  clearTimeout(press.timer);
  pending.delete(queryId);
  redraw(press.chatId, press.messageId);
};

const press = async (message, button, index, element) => {
  if (button.copy_text) return copyText(button.copy_text.text, 'Text');
  element.classList.add('pending');
  try {
    const { queryId } = await api.press(message.chatId, message.id, { from: actingAs(), index });
    if (!store.isOpen(queryId)) return element.classList.remove('pending');
    const timer = setTimeout(() => endPress(queryId), answerMs);
    pending.set(queryId, { chatId: message.chatId, messageId: message.id, index, timer });
  } catch (error) {
    element.classList.remove('pending');
    complain(error);
  }
};

const actions = {
  press,
  isPending: (message, index) =>
    [...pending.values()].some((p) => p.messageId === message.id && p.index === index),
  command: (text) => api.write(currentId, { from: actingAs(), text }).catch(complain),
  isSpoilerOpen: (message, offset) => openSpoilers.has(`${message.id}/${offset}/${message.text}`),
  openSpoiler: (message, offset) => openSpoilers.add(`${message.id}/${offset}/${message.text}`),
  goTo: (id) => list.goTo(id),
  reply: (message) => {
    dropContext();
    reply = message;
    composer.setContext(`Reply to ${message.from.name}`, message.text || message.kind);
  },
  edit: (message) => {
    dropContext();
    editing = message;
    composer.setText(message.text);
    composer.setContext('Edit message', message.text);
  },
};

const drawMode = () => {
  const { started, blocked } = person();
  const isPrivate = chat().type === 'private';
  composer.setMode(!isPrivate || (started && !blocked) ? 'write' : blocked ? 'blocked' : 'start');
};

const loadCommands = async () => {
  // Two changes in a row: only the answer to the last question counts.
  const question = ++commandQuestions;
  const commands = await api.commandsFor(currentId, actingAs());
  if (question === commandQuestions) composer.setCommands(commands);
};

const showChat = () => {
  head.setTyping(store, chat(), false);
  head.draw(store, chat(), actingAs());
  const options = { actingAs: actingAs(), showSender: chat().type !== 'private', actions };
  list.show(store.messagesOf(currentId), options, intro(store, chat(), person()));
  drawMode();
  loadCommands().catch(complain);
  markRead();
  sidebar();
};

const openChat = () => {
  if (currentId !== undefined) drafts.set(currentId, composer.text());
  const wanted = Number(location.hash.slice(1));
  currentId = store.chats.has(wanted) ? wanted : [...store.chats.keys()][0];
  dropContext();
  composer.setText(drafts.get(currentId) ?? '');
  showChat();
  if (matchMedia('(pointer: fine)').matches) composer.focus();
};

store.on('snapshot', () => (currentId === undefined || !chat() ? openChat() : showChat()));
store.on('connection', () => chat() && head.draw(store, chat(), actingAs()));
store.on('bot', () => chat() && head.draw(store, chat(), actingAs()));
store.on('chat', sidebar);
store.on('commands', () => chat() && loadCommands().catch(complain));
store.on('person', ({ person: changed }) => {
  if (changed.id === actingAs()) {
    head.draw(store, chat(), actingAs());
    drawMode();
  }
  sidebar();
});
store.on('message', ({ message }) => {
  if (message.chatId === currentId) {
    if (message.fromBot) head.setTyping(store, chat(), false);
    list.put(message);
    if (list.isAtEnd()) markRead();
  }
  sidebar();
});
store.on('message-deleted', ({ chatId, messageId }) => {
  if (chatId === currentId) list.remove(messageId);
  sidebar();
});
store.on('history-deleted', ({ chatId }) => (chatId === currentId ? showChat() : sidebar()));
store.on('chat-action', ({ chatId, action }) => {
  if (chatId !== currentId) return;
  clearTimeout(typingTimer);
  head.setTyping(store, chat(), actionTexts[action] ?? 'busy…');
  typingTimer = setTimeout(() => chat() && head.setTyping(store, chat(), false), typingMs);
});
store.on('callback-answer', ({ answer }) => {
  endPress(answer.queryId);
  if (answer.chatId !== currentId || answer.personId !== actingAs() || !answer.text) return;
  if (answer.showAlert) alertBox(store.bot.name, answer.text);
  else toast(answer.text);
});

document.getElementById('chat').append(head.element, list.element, composer.element);
document.getElementById('add-person').addEventListener('click', () =>
  askFor('Add a person', 'First name', (name) =>
    api.addPerson(name).then(({ id }) => {
      location.hash = String(id);
    }, complain),
  ),
);
window.addEventListener('hashchange', openChat);
document.addEventListener('visibilitychange', markRead);
list.element.addEventListener('dragover', (event) => event.preventDefault());
list.element.addEventListener('drop', (event) => {
  event.preventDefault();
  const [file] = event.dataTransfer.files;
  if (file) composer.attach(file);
});
app.dataset.pane = 'chat';
store.connect();
