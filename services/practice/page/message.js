import { avatar, h, icon, iconButton } from './dom.js';
import { formattedText } from './formatted-text.js';
import { clockTime, fileSize, fullTime } from './time.js';

/** One message as a bubble with its buttons below. `actions` is what a person can do with it. */

const photoNode = ({ url, width, height, fileName }) =>
  h(
    'a',
    { class: 'photo', href: url, target: '_blank', rel: 'noopener' },
    h('img', { src: url, width, height, alt: `Photo ${fileName}`, loading: 'lazy' }),
  );

const documentNode = ({ url, fileName, size }) =>
  h(
    'a',
    { class: 'document', href: url, download: fileName },
    h('span', { class: 'document-icon' }, icon('file')),
    h(
      'span',
      { class: 'document-text' },
      h('span', { class: 'document-name' }, fileName),
      h('span', { class: 'document-size' }, `${fileSize(size)} · Download`),
    ),
  );

const attachment = (message) => {
  if (message.photo) return photoNode(message.photo);
  if (message.document) return documentNode(message.document);
  if (message.sticker)
    return h('span', { class: 'sticker', role: 'img', 'aria-label': 'Sticker' }, message.sticker);
  if (message.contact)
    return h('p', { class: 'card' }, `👤 ${message.contact.firstName}, ${message.contact.phone}`);
  if (message.location) {
    const { latitude, longitude } = message.location;
    return h('p', { class: 'card' }, `📍 ${latitude.toFixed(4)}, ${longitude.toFixed(4)}`);
  }
  return null;
};

const quote = (replyTo, actions) =>
  h(
    'button',
    {
      type: 'button',
      class: 'quote',
      'aria-label': `In reply to ${replyTo.name}: ${replyTo.text}`,
      onclick: () => actions.goTo(replyTo.id),
    },
    h('span', { class: 'quote-name' }, replyTo.name),
    h('span', { class: 'quote-text' }, replyTo.text),
  );

const keyboardButton = (button, index, message, actions) => {
  const key = `button-${index}`;
  if (button.url) {
    return h(
      'a',
      { class: 'key', 'data-key': key, href: button.url, target: '_blank', rel: 'noopener noreferrer' },
      h('span', {}, button.text),
      icon('link'),
    );
  }
  const isPending = actions.isPending(message, index);
  return h(
    'button',
    {
      type: 'button',
      class: isPending ? 'key pending' : 'key',
      'data-key': key,
      'aria-busy': isPending ? 'true' : undefined,
      onclick: (event) => actions.press(message, button, index, event.currentTarget),
    },
    h('span', {}, button.text),
    button.copy_text ? icon('copy') : null,
  );
};

const keyboard = (message, actions) => {
  if (message.buttons.length === 0) return null;
  let index = 0;
  const rows = message.buttons.map((row) =>
    h('div', { class: 'keys' }, ...row.map((button) => keyboardButton(button, index++, message, actions))),
  );
  return h('div', { class: 'keyboard', role: 'group', 'aria-label': 'Buttons of this message' }, ...rows);
};

const tools = (message, isOwn, actions) =>
  h(
    'div',
    { class: 'tools' },
    iconButton('reply', 'Reply', () => actions.reply(message), { 'data-key': 'reply' }),
    isOwn && message.kind === 'text'
      ? iconButton('edit', 'Edit', () => actions.edit(message), { 'data-key': 'edit' })
      : null,
  );

/** `isOwn`: written by whom the reader acts as. `showSender`: in groups. */
export const messageNode = (message, { isOwn, showSender, actions }) => {
  if (message.kind === 'group-created') {
    const text = `${message.from.name} created the group`;
    return h(
      'div',
      { class: 'service', 'data-id': message.id, 'data-sender': 'service', 'data-date': message.date },
      h('span', {}, text),
    );
  }
  const context = {
    onCommand: actions.command,
    isOpen: (offset) => actions.isSpoilerOpen(message, offset),
    open: (offset) => actions.openSpoiler(message, offset),
  };
  const text = message.text
    ? h('div', { class: 'text' }, ...formattedText(message.text, message.entities, context))
    : null;
  const edited = message.editDate ? h('span', { class: 'edited' }, 'edited ') : null;
  const time = h(
    'span',
    { class: 'meta' },
    edited,
    h(
      'time',
      { datetime: new Date(message.date * 1000).toISOString(), title: fullTime(message.date) },
      clockTime(message.date),
    ),
  );
  const only = message.photo && !message.text ? ' only-photo' : '';
  const sticker = message.sticker ? ' is-sticker' : '';
  return h(
    'article',
    {
      class: `message ${isOwn ? 'own' : 'theirs'}${only}${sticker}`,
      'data-id': message.id,
      'data-sender': message.from.id,
      'data-date': message.date,
    },
    h('span', { class: 'visually-hidden' }, `${isOwn ? 'You' : message.from.name}:`),
    showSender && !isOwn ? avatar(message.from.name, message.from.id, message.fromBot) : null,
    h(
      'div',
      { class: 'body' },
      h(
        'div',
        { class: message.buttons.length > 0 ? 'bubble with-keys' : 'bubble' },
        showSender && !isOwn
          ? h('p', { class: `sender ink-${Math.abs(message.from.id) % 7}` }, message.from.name)
          : null,
        message.replyTo ? quote(message.replyTo, actions) : null,
        attachment(message),
        text,
        time,
      ),
      keyboard(message, actions),
    ),
    tools(message, isOwn, actions),
  );
};
