/** Building elements. Text always becomes text nodes; nothing here or elsewhere parses HTML. */

/** `h('p', { class: 'note', onclick }, 'text', child)`; null and false children are left out. */
export const h = (tag, properties = {}, ...children) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? '' : String(value));
  }
  element.append(
    ...children.flat().filter((child) => child !== null && child !== undefined && child !== false),
  );
  return element;
};

const paths = {
  back: 'M15 5l-7 7 7 7',
  send: 'M4 12l16-8-6 16-3-7z',
  attach: 'M20 11l-8 8a5 5 0 0 1-7-7l9-9a3.4 3.4 0 0 1 5 5l-9 9a1.8 1.8 0 0 1-2.5-2.5l8-8',
  menu: 'M5 8h14M5 12h14M5 16h9',
  close: 'M6 6l12 12M18 6L6 18',
  more: 'M12 5.5v.01M12 12v.01M12 18.5v.01',
  file: 'M12 4v11M7 11l5 5 5-5M5 20h14',
  reply: 'M10 7L5 12l5 5M5 12h9a5 5 0 0 1 5 5v1',
  edit: 'M5 19l1-4L16 5l3 3L9 18zM14 7l3 3',
  copy: 'M9 9h10v10H9zM5 15V5h10',
  down: 'M6 9l6 6 6-6',
  link: 'M8 16l8-8M10 8h6v6',
  add: 'M12 5v14M5 12h14',
};

export const icon = (name) => {
  const namespace = 'http://www.w3.org/2000/svg';
  const svg = document.createElementNS(namespace, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS(namespace, 'path');
  path.setAttribute('d', paths[name]);
  svg.append(path);
  return svg;
};

export const iconButton = (name, label, onclick, extra = {}) =>
  h(
    'button',
    { type: 'button', class: 'icon-button', 'aria-label': label, title: label, onclick, ...extra },
    icon(name),
  );

/** A span that acts as a button inside running text, for the mouse, the keyboard and screen readers. */
export const inlineButton = (tag, properties, act, ...children) =>
  h(
    tag,
    {
      role: 'button',
      tabindex: '0',
      ...properties,
      onclick: act,
      onkeydown: (event) => {
        if (event.key !== 'Enter' && event.key !== ' ') return;
        event.preventDefault();
        act(event);
      },
    },
    ...children,
  );

const initials = (name) =>
  name
    .split(/\s+/)
    .slice(0, 2)
    .map((word) => [...word][0] ?? '')
    .join('')
    .toUpperCase();

export const avatar = (name, id, isBot = false) =>
  isBot
    ? h('img', { class: 'avatar', src: 'icon.svg', alt: '' })
    : h('span', { class: `avatar hue-${Math.abs(id) % 7}`, 'aria-hidden': 'true' }, initials(name));
