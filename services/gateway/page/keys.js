/** The row of keys that phones do not have, and fingers that scroll. */

const sequences = { escape: '\x1b', tab: '\t', up: 'A', down: 'B', right: 'C', left: 'D' };
const arrows = new Set(['up', 'down', 'left', 'right']);

/** Ctrl and a letter, as terminals say it. */
const withCtrl = (text) => {
  if (text === ' ') return '\0';
  const code = text.toUpperCase().charCodeAt(0);
  return text.length === 1 && code >= 64 && code <= 95 ? String.fromCharCode(code - 64) : text;
};

export const createKeys = (row, terminal, send) => {
  const ctrl = row.querySelector('[data-key="ctrl"]');
  let held = false;
  const hold = (state) => {
    held = state;
    ctrl.setAttribute('aria-pressed', String(state));
  };
  const sequenceOf = (key) => {
    if (!arrows.has(key)) return sequences[key];
    if (held) return `\x1b[1;5${sequences[key]}`;
    return `${terminal.modes.applicationCursorKeysMode ? '\x1bO' : '\x1b['}${sequences[key]}`;
  };
  // The keyboard stays up: the screen keeps the focus.
  row.addEventListener('pointerdown', (event) => event.preventDefault());
  row.addEventListener('click', ({ target }) => {
    const key = target.closest('button')?.dataset.key;
    if (key === undefined) return;
    terminal.focus();
    if (key === 'ctrl') return hold(!held);
    send(sequenceOf(key));
    hold(false);
  });
  return {
    /** What was typed, with the held Ctrl applied to its first character. */
    apply(text) {
      if (!held) return text;
      hold(false);
      return withCtrl(text);
    },
  };
};

/** A finger moves what it touches: told to the terminal as turns of a wheel. */
export const scrollByTouch = (screen) => {
  let last = null;
  screen.addEventListener(
    'touchstart',
    ({ touches }) => {
      last = touches.length === 1 ? touches[0].clientY : null;
    },
    { passive: true },
  );
  screen.addEventListener(
    'touchmove',
    (event) => {
      if (last === null || event.touches.length !== 1) return;
      const { clientX, clientY } = event.touches[0];
      const deltaY = last - clientY;
      if (Math.abs(deltaY) < 18) return;
      last = clientY;
      const place = { clientX, clientY, deltaY, deltaMode: 0, bubbles: true, cancelable: true };
      event.target.dispatchEvent(new WheelEvent('wheel', place));
    },
    { passive: true },
  );
};
