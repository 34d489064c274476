import { h, icon } from './dom.js';
import { messageNode } from './message.js';
import { dayName } from './time.js';

/**
 * The messages of the open chat. A changed message replaces its own node only; where the reader was (scrolled
 * to, focused on) stays. New messages scroll into view when the reader was at the end anyway.
 */

const nearEndPx = 90;
const sameGroupSeconds = 5 * 60;

export const createMessageList = ({ onRead }) => {
  const list = h('div', { class: 'messages', role: 'log', 'aria-label': 'Messages', tabindex: '0' });
  const jump = h(
    'button',
    {
      type: 'button',
      class: 'jump',
      'aria-label': 'To the newest message',
      hidden: true,
      onclick: () => toEnd(true),
    },
    icon('down'),
  );
  const element = h('div', { class: 'scroll-area' }, list, jump);
  let options;

  const isAtEnd = () => list.scrollHeight - list.scrollTop - list.clientHeight < nearEndPx;
  const toEnd = (smoothly = false) => {
    list.scrollTo({ top: list.scrollHeight, behavior: smoothly ? 'smooth' : 'instant' });
  };
  const nodeOf = (id) => list.querySelector(`[data-id="${id}"]`);

  const settleJump = () => {
    jump.hidden = isAtEnd();
    if (!jump.hidden) return;
    onRead();
  };
  list.addEventListener('scroll', settleJump, { passive: true });
  // A bubble that grows, such as one whose photo arrives, must not push the end out of sight.
  let stick = true;
  list.addEventListener('scroll', () => {
    stick = isAtEnd();
  });
  new ResizeObserver(() => {
    if (stick) toEnd();
  }).observe(list);

  /** Day marks, and which bubbles stand together. */
  const arrange = () => {
    for (const mark of list.querySelectorAll('.day')) mark.remove();
    let before;
    for (const node of list.querySelectorAll('[data-id]')) {
      const day = dayName(Number(node.dataset.date));
      const isNewDay = !before || dayName(Number(before.dataset.date)) !== day;
      if (isNewDay) node.before(h('div', { class: 'day' }, h('span', {}, day)));
      const together =
        before &&
        !isNewDay &&
        before.dataset.sender === node.dataset.sender &&
        node.dataset.date - before.dataset.date < sameGroupSeconds;
      node.classList.toggle('first', !together);
      before?.classList.toggle('last', !together);
      before = node;
    }
    before?.classList.add('last');
  };

  const build = (message) =>
    messageNode(message, {
      isOwn: message.from.id === options.actingAs,
      showSender: options.showSender,
      actions: options.actions,
    });

  return {
    element,
    isAtEnd,
    toEnd,
    /** Shows a chat from the beginning. */
    show: (messages, nextOptions, intro) => {
      options = nextOptions;
      list.replaceChildren(...(messages.length > 0 ? messages.map(build) : [intro]));
      arrange();
      stick = true;
      toEnd();
      settleJump();
    },
    put: (message) => {
      const wasAtEnd = isAtEnd();
      const old = nodeOf(message.id);
      const node = build(message);
      if (old) {
        const focused = old.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
        old.replaceWith(node);
        if (focused) node.querySelector(`[data-key="${focused}"]`)?.focus({ preventScroll: true });
      } else {
        list.querySelector('.intro')?.remove();
        list.append(node);
        node.classList.add('arriving');
      }
      arrange();
      if (wasAtEnd || (!old && message.from.id === options.actingAs)) toEnd();
      settleJump();
    },
    remove: (id) => {
      nodeOf(id)?.remove();
      arrange();
    },
    goTo: (id) => {
      const node = nodeOf(id);
      if (!node) return;
      node.scrollIntoView({ block: 'center', behavior: 'smooth' });
      node.classList.add('found');
      node.addEventListener('animationend', () => node.classList.remove('found'), { once: true });
    },
  };
};
