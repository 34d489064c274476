import { avatar, h } from './dom.js';
import { clockTime } from './time.js';

/** Who one can be, each with their chat: the newest line and how much of it is unread. */

const preview = (message) => {
  if (!message) return 'No messages yet';
  const kinds = {
    photo: '🖼 Photo',
    document: '📄 File',
    sticker: 'Sticker',
    contact: 'Contact',
    location: 'Location',
  };
  const from = message.fromBot ? '' : `${message.from.name}: `;
  if (message.kind === 'group-created') return 'Group created';
  const spoilers = message.entities.filter(({ type }) => type === 'spoiler');
  const open = spoilers.reduce(
    (text, { offset, length }) => text.slice(0, offset) + '▒'.repeat(length) + text.slice(offset + length),
    message.text,
  );
  return from + [kinds[message.kind], open].filter(Boolean).join(' ').slice(0, 120);
};

const row = (chat, { store, isCurrent, unread, open }) => {
  const person = store.people.get(chat.id);
  const newest = store.messagesOf(chat.id).at(-1);
  const note = person ? person.note : `${chat.memberIds.length} people`;
  return h(
    'button',
    {
      type: 'button',
      class: 'chat-row',
      'aria-current': isCurrent ? 'true' : undefined,
      'data-chat': chat.id,
      onclick: () => open(chat.id),
    },
    avatar(chat.name, chat.id),
    h(
      'span',
      { class: 'chat-row-text' },
      h(
        'span',
        { class: 'chat-row-line' },
        h('span', { class: 'chat-row-name' }, chat.name),
        h('span', { class: `note note-${person ? person.note : 'group'}` }, note),
        newest ? h('time', { class: 'chat-row-time' }, clockTime(newest.date)) : null,
      ),
      h(
        'span',
        { class: 'chat-row-line' },
        h('span', { class: 'chat-row-preview' }, preview(newest)),
        unread > 0 ? h('span', { class: 'badge', 'aria-label': `${unread} unread` }, String(unread)) : null,
      ),
    ),
  );
};

export const drawSidebar = (container, { store, currentId, unreadOf, open }) => {
  const focused = container.contains(document.activeElement)
    ? document.activeElement.dataset.chat
    : undefined;
  const rows = (chats) =>
    chats.map((chat) =>
      row(chat, { store, isCurrent: chat.id === currentId, unread: unreadOf(chat.id), open }),
    );
  const chats = [...store.chats.values()];
  container.replaceChildren(
    h('h2', {}, 'People'),
    ...rows(chats.filter(({ type }) => type === 'private')),
    h('h2', {}, 'Groups'),
    ...rows(chats.filter(({ type }) => type !== 'private')),
  );
  if (focused) container.querySelector(`[data-chat="${focused}"]`)?.focus();
};
