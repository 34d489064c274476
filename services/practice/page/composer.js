import { createCommandMenu } from './command-menu.js';
import { h, icon, iconButton } from './dom.js';

/**
 * The line to write in: text, files, the command menu; and in its place START for who has not written yet, or
 * a way back for who has blocked the bot.
 */
export const createComposer = ({ onSend, onFile, onStart, onUnblock, onCancel }) => {
  const input = h('textarea', {
    class: 'input',
    rows: '1',
    placeholder: 'Message',
    'aria-label': 'Message',
    maxlength: '16000',
    enterkeyhint: 'send',
    autocomplete: 'off',
    'aria-controls': 'command-list',
    'aria-autocomplete': 'list',
  });
  const menu = createCommandMenu({
    choose: (command) => send(command),
    onToggle: (isOpen, activeId) => {
      menuButton.setAttribute('aria-expanded', String(isOpen));
      if (activeId) input.setAttribute('aria-activedescendant', activeId);
      else input.removeAttribute('aria-activedescendant');
    },
  });
  const menuButton = h(
    'button',
    {
      type: 'button',
      class: 'menu-button',
      'aria-label': 'Commands',
      'aria-haspopup': 'listbox',
      'aria-expanded': 'false',
      'aria-controls': 'command-list',
      // The field keeps its focus; losing it would close the menu that this opens.
      onpointerdown: (event) => event.preventDefault(),
      onclick: () => {
        menu.toggle();
        input.focus();
      },
    },
    icon('menu'),
    h('span', {}, 'Menu'),
  );
  const picker = h('input', {
    type: 'file',
    class: 'visually-hidden',
    tabindex: '-1',
    'aria-hidden': 'true',
  });
  const sendButton = iconButton('send', 'Send', () => send(input.value), { class: 'send-button' });
  const context = h('div', { class: 'composer-context', hidden: true });
  const line = h(
    'div',
    { class: 'composer-line' },
    menuButton,
    h(
      'div',
      { class: 'field' },
      input,
      iconButton('attach', 'Attach a photo or file', () => picker.click()),
    ),
    sendButton,
    picker,
  );
  const start = h('button', { type: 'button', class: 'big-button', onclick: () => onStart() }, 'START');
  const unblock = h(
    'button',
    { type: 'button', class: 'big-button', onclick: () => onUnblock() },
    'UNBLOCK AND RESTART',
  );
  const element = h('footer', { class: 'composer' }, menu.element, context, line, start, unblock);

  const grow = () => {
    input.style.height = 'auto';
    input.style.height = `${Math.min(input.scrollHeight, 180)}px`;
    sendButton.classList.toggle('ready', input.value.trim() !== '');
  };
  const setText = (text) => {
    input.value = text;
    grow();
    menu.follow(text);
  };
  const clearContext = () => {
    context.hidden = true;
    context.replaceChildren();
  };
  const send = (text) => {
    if (text.trim() === '') return;
    menu.close();
    onSend(text);
    setText('');
    clearContext();
    input.focus();
  };

  input.addEventListener('input', () => {
    grow();
    menu.follow(input.value);
  });
  input.addEventListener('keydown', (event) => {
    if (event.isComposing) return;
    const meant = menu.key(event);
    if (meant?.send) return send(meant.send);
    if (meant?.complete) return setText(meant.complete);
    if (event.defaultPrevented) return;
    if (event.key === 'Escape' && !context.hidden) {
      clearContext();
      setText('');
      onCancel();
    }
    if (event.key !== 'Enter' || event.shiftKey) return;
    event.preventDefault();
    send(input.value);
  });
  input.addEventListener('blur', () => setTimeout(menu.close));
  input.addEventListener('paste', (event) => {
    const [file] = event.clipboardData?.files ?? [];
    if (!file) return;
    event.preventDefault();
    attach(file);
  });
  picker.addEventListener('change', () => {
    const [file] = picker.files;
    picker.value = '';
    if (file) attach(file);
  });
  const attach = (file) => {
    onFile(file, input.value);
    setText('');
  };

  return {
    element,
    attach,
    focus: () => input.focus({ preventScroll: true }),
    text: () => input.value,
    setText,
    setCommands: (commands) => {
      menu.setCommands(commands);
      menuButton.hidden = commands.length === 0;
    },
    /** A line above the field that says what the text will answer or replace. */
    setContext: (title, text) => {
      context.hidden = false;
      context.replaceChildren(
        h('div', {}, h('strong', {}, title), h('span', {}, text)),
        iconButton('close', 'Cancel', () => {
          clearContext();
          setText('');
          onCancel();
        }),
      );
      input.focus();
    },
    clearContext,
    /** 'write', 'start' or 'blocked'. */
    setMode: (mode) => {
      line.hidden = mode !== 'write';
      start.hidden = mode !== 'start';
      unblock.hidden = mode !== 'blocked';
    },
  };
};
