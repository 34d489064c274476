import { h, icon, inlineButton } from './dom.js';
import { copyText } from './notices.js';

/** A message's text with its entities, as nodes. Entities may nest; those that cross are cut at the crossing. */

const blocks = new Set(['pre', 'blockquote', 'expandable_blockquote']);

const endOf = ({ offset, length }) => offset + length;

/** The part of an entity inside a range, if any. */
const clip = (entity, from, to) => {
  const offset = Math.max(entity.offset, from);
  const length = Math.min(endOf(entity), to) - offset;
  return length > 0 ? [{ ...entity, offset, length }] : [];
};

const link = (href, children) =>
  h('a', { href, target: '_blank', rel: 'noopener noreferrer', title: href }, ...children);

const safeLink = (url, children) => {
  const parsed = URL.parse(/^[a-z][a-z0-9+.-]*:/i.test(url) ? url : `http://${url}`);
  const allowed = parsed && ['http:', 'https:', 'mailto:', 'tel:', 'tg:'].includes(parsed.protocol);
  return allowed ? link(parsed.href, children) : h('span', {}, ...children);
};

const preBlock = (entity, text, children) =>
  h(
    'div',
    { class: 'pre' },
    h(
      'div',
      { class: 'pre-head' },
      h('span', {}, entity.language || 'text'),
      h(
        'button',
        { type: 'button', 'aria-label': 'Copy this block', onclick: () => copyText(text, 'Block') },
        icon('copy'),
      ),
    ),
    h('pre', { tabindex: '0' }, h('code', {}, ...children)),
  );

/** Shows its first three lines; at a touch all of it, and from then on. */
const expandableQuote = ({ offset }, children, context) => {
  if (context.isOpen(offset)) return h('blockquote', {}, ...children);
  const quote = inlineButton(
    'blockquote',
    { class: 'folded', 'aria-expanded': 'false', 'aria-label': 'Folded quote, press to show all of it' },
    () => {
      context.open(offset);
      quote.replaceWith(h('blockquote', {}, ...quote.firstChild.childNodes));
    },
    h('div', { inert: true }, ...children),
  );
  return quote;
};

/** `context`: what a command does, which spoilers are open, and how to open one. */
const wrap = (entity, text, children, context) => {
  switch (entity.type) {
    case 'bold':
      return h('strong', {}, ...children);
    case 'italic':
      return h('em', {}, ...children);
    case 'underline':
      return h('u', {}, ...children);
    case 'strikethrough':
      return h('s', {}, ...children);
    case 'code':
      return inlineButton(
        'code',
        { class: 'code', title: 'Press to copy', 'aria-label': `${text}, press to copy` },
        () => copyText(text, 'Text'),
        ...children,
      );
    case 'pre':
      return preBlock(entity, text, children);
    case 'blockquote':
      return h('blockquote', {}, ...children);
    case 'expandable_blockquote':
      return expandableQuote(entity, children, context);
    case 'text_link':
      return safeLink(entity.url ?? '', children);
    case 'url':
      return safeLink(text, children);
    case 'email':
      return safeLink(`mailto:${text}`, children);
    case 'mention':
    case 'text_mention':
      return h('span', { class: 'mention' }, ...children);
    case 'bot_command':
      return inlineButton('span', { class: 'command' }, () => context.onCommand(text), ...children);
    case 'spoiler': {
      if (context.isOpen(entity.offset)) return h('span', { class: 'spoiler-open' }, ...children);
      const element = inlineButton(
        'span',
        { class: 'spoiler', 'aria-label': 'Hidden text, press to show' },
        (event) => {
          event.stopPropagation();
          context.open(entity.offset);
          element.replaceWith(h('span', { class: 'spoiler-open' }, ...element.childNodes));
        },
        ...children,
      );
      return element;
    }
    default:
      return h('span', {}, ...children);
  }
};

const nodes = (text, entities, from, to, context) => {
  const result = [];
  let rest = entities.flatMap((entity) => clip(entity, from, to));
  let position = from;
  while (rest.length > 0) {
    rest.sort((a, b) => a.offset - b.offset || b.length - a.length);
    const [entity, ...others] = rest;
    const end = endOf(entity);
    if (entity.offset > position) result.push(text.slice(position, entity.offset));
    const inside = others.flatMap((other) => clip(other, entity.offset, end));
    const children = nodes(text, inside, entity.offset, end, context);
    result.push(wrap(entity, text.slice(entity.offset, end), children, context));
    // A block ends its line by itself.
    position = blocks.has(entity.type) && text[end] === '\n' ? Math.min(end + 1, to) : end;
    rest = others.flatMap((other) => clip(other, position, to));
  }
  if (position < to) result.push(text.slice(position, to));
  return result;
};

export const formattedText = (text, entities, context) => nodes(text, entities, 0, text.length, context);
