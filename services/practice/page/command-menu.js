import { h } from './dom.js';

/**
 * The list of commands above the composer: opened by its button or by typing a slash. Nothing is chosen until
 * an arrow key does, so that Enter sends what was typed: `/start` must never become `/start_vm`.
 */
export const createCommandMenu = ({ choose, onToggle }) => {
  const list = h('ul', {
    class: 'command-list',
    role: 'listbox',
    id: 'command-list',
    'aria-label': 'Commands',
  });
  const element = h('div', { class: 'command-menu', hidden: true }, list);
  let commands = [];
  let shown = [];
  let active = -1;

  const draw = () => {
    list.replaceChildren(
      ...shown.map(({ command, description }, index) =>
        h(
          'li',
          {
            id: `command-${index}`,
            role: 'option',
            class: 'command-option',
            'aria-selected': index === active ? 'true' : 'false',
            // Before the text field would lose its focus.
            onpointerdown: (event) => event.preventDefault(),
            onclick: () => choose(`/${command}`),
          },
          h('span', { class: 'command-name' }, `/${command}`),
          h('span', { class: 'command-description' }, description),
        ),
      ),
    );
    list.children[active]?.scrollIntoView({ block: 'nearest' });
  };

  const open = (filter) => {
    shown = commands.filter(({ command }) => command.startsWith(filter));
    active = -1;
    element.hidden = shown.length === 0;
    draw();
    onToggle(!element.hidden);
  };
  const close = () => {
    if (element.hidden) return;
    element.hidden = true;
    onToggle(false);
  };

  return {
    element,
    close,
    setCommands: (next) => {
      commands = next;
      if (!element.hidden) open('');
    },
    toggle: () => (element.hidden ? open('') : close()),
    /** Follows what is typed: a slash and the beginning of a name. */
    follow: (text) => {
      const typed = /^\/([a-z0-9_]*)$/i.exec(text);
      if (typed) open(typed[1].toLowerCase());
      else close();
    },
    /** Takes the key where the menu wants it; returns the command to complete with, if that is what it means. */
    key: (event) => {
      if (element.hidden) return undefined;
      const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (move) {
        event.preventDefault();
        const first = move > 0 ? 0 : shown.length - 1;
        active = active < 0 ? first : (active + move + shown.length) % shown.length;
        draw();
        onToggle(true, `command-${active}`);
      } else if (event.key === 'Escape') {
        event.preventDefault();
        close();
      } else if (event.key === 'Tab' && !event.shiftKey) {
        event.preventDefault();
        return { complete: `/${shown[Math.max(active, 0)].command} ` };
      } else if (event.key === 'Enter' && !event.shiftKey && active >= 0) {
        event.preventDefault();
        return { send: `/${shown[active].command}` };
      }
      return undefined;
    },
  };
};
