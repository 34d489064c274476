import { copy, readClipboard } from './clipboard.js';
import { createConnection } from './connection.js';
import { createKeys, scrollByTouch } from './keys.js';
import { createView } from './view.js';
import { claimWindowId, freshWindowId } from './window-id.js';
import * as words from './words.js';

/** Puts screen, keys and connection together. */

const element = (id) => document.getElementById(id);
const screen = element('screen');
const notice = element('notice');
const copyButton = element('copy');
const panel = element('ended');

let passing;
const tell = (text, ms = 0) => {
  clearTimeout(passing);
  notice.textContent = text;
  if (ms > 0) passing = setTimeout(() => tell(''), ms);
};
/** Milliseconds of reconnecting, after which it may be the address that is gone: a quick tunnel has another one each time. */
const patience = 30_000;
let lostFor = null;
let reconnectingText = words.reconnecting;
const lostNoMore = () => {
  clearTimeout(lostFor);
  lostFor = null;
  reconnectingText = words.reconnecting;
};
const tellLost = () => {
  lostFor ??= setTimeout(() => {
    reconnectingText = `${words.reconnecting}. ${words.adviceWhileLost}`;
    tell(reconnectingText);
  }, patience);
  tell(reconnectingText);
};
const encoder = new TextEncoder();

const windowId = await claimWindowId();
const terminal = createView(screen, { onResize: () => connection.resize() });
const send = (text) => connection.send(encoder.encode(text));
const keys = createKeys(element('keys'), terminal, send);

const connection = createConnection({
  windowId,
  size: () => ({ columns: terminal.cols, rows: terminal.rows }),
  onOutput: (bytes, shown) => terminal.write(bytes, shown),
  onAttached(vm) {
    terminal.reset(); // tmux paints it anew
    document.title = words.titleOf(vm);
    element('vm').textContent = vm;
    document.body.dataset.state = 'attached';
    lostNoMore();
    tell('');
  },
  onLost() {
    document.body.dataset.state = 'lost';
    tellLost();
  },
  onEnded(reason) {
    const [title, advice, again] = words.endings[reason] ?? words.endings.ended;
    document.body.dataset.state = 'ended';
    lostNoMore();
    tell('');
    element('ended-title').textContent = title;
    element('ended-advice').textContent = advice;
    element('again').hidden = !again;
    panel.hidden = false;
    terminal.blur();
    if (again) element('again').focus();
  },
});

terminal.onData((text) => send(keys.apply(text)));
// Some mouse reports hold bytes beyond UTF-8.
terminal.onBinary((text) => connection.send(Uint8Array.from(text, (character) => character.charCodeAt(0))));

const copySelection = async () => {
  if (!terminal.hasSelection()) return;
  const done = await copy(terminal.getSelection());
  tell(done ? words.copied : words.cannotCopy, done ? 1_000 : 5_000);
  terminal.focus();
};
const paste = async () => {
  const text = await readClipboard();
  if (text === null) tell(words.cannotPaste, 5_000);
  else terminal.paste(text);
};
terminal.attachCustomKeyEventHandler((event) => {
  if (event.type !== 'keydown' || !event.ctrlKey || !event.shiftKey) return true;
  const act = { KeyC: copySelection, KeyV: paste }[event.code];
  if (act === undefined) return true;
  event.preventDefault();
  void act();
  return false;
});
terminal.onSelectionChange(() => {
  copyButton.hidden = !terminal.hasSelection();
});
copyButton.addEventListener('click', copySelection);
element('close').addEventListener('click', () => {
  if (confirm(words.closeQuestion)) connection.end();
});
element('again').addEventListener('click', () => {
  panel.hidden = true;
  connection.reconnectsAs(freshWindowId());
  terminal.focus();
});
scrollByTouch(screen);
terminal.focus();
