import { h } from './dom.js';

/** Short notices at the bottom, and alerts that want to be read. */

const shownMs = 3500;

export const toast = (text) => {
  const element = h('p', { class: 'toast' }, text);
  document.getElementById('toasts').append(element);
  setTimeout(() => element.remove(), shownMs);
};

export const complain = (error) => toast(error.message);

const openDialog = (dialog) => {
  document.body.append(dialog);
  dialog.addEventListener('close', () => dialog.remove());
  dialog.showModal();
};

export const alertBox = (title, text) => {
  const close = h('button', { type: 'submit', class: 'text-button', autofocus: true }, 'OK');
  openDialog(
    h(
      'dialog',
      { class: 'dialog', 'aria-labelledby': 'dialog-title' },
      h('form', { method: 'dialog' }, h('h2', { id: 'dialog-title' }, title), h('p', {}, text), close),
    ),
  );
};

/** Asks for one line; calls `done` with it unless the person gave up. */
export const askFor = (title, label, done) => {
  const input = h('input', {
    name: 'value',
    required: true,
    maxlength: '64',
    autocomplete: 'off',
    autofocus: true,
  });
  const dialog = h(
    'dialog',
    { class: 'dialog', 'aria-labelledby': 'dialog-title' },
    h(
      'form',
      {
        method: 'dialog',
        onsubmit: () => {
          const value = input.value.trim();
          if (value) done(value);
        },
      },
      h('h2', { id: 'dialog-title' }, title),
      h('label', {}, label, input),
      h(
        'div',
        { class: 'dialog-actions' },
        h('button', { type: 'button', class: 'text-button', onclick: () => dialog.close() }, 'Cancel'),
        h('button', { type: 'submit', class: 'text-button' }, 'Add'),
      ),
    ),
  );
  openDialog(dialog);
};

export const copyText = async (text, what) => {
  try {
    await navigator.clipboard.writeText(text);
    toast(`${what} copied`);
  } catch {
    toast('The browser did not allow copying.');
  }
};
