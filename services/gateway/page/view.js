import { FitAddon } from '/assets/addon-fit.mjs';
import { Unicode11Addon } from '/assets/addon-unicode11.mjs';
import { WebLinksAddon } from '/assets/addon-web-links.mjs';
import { Terminal } from '/assets/xterm.mjs';
import { copy } from './clipboard.js';

/** The screen: xterm.js with its colours, its size and its links. */

const dark = {
  background: '#0f1217',
  foreground: '#e6e8eb',
  cursor: '#8ab4f8',
  selectionBackground: '#8ab4f855',
};
const light = {
  background: '#ffffff',
  foreground: '#1b1f24',
  cursor: '#1f6feb',
  cursorAccent: '#ffffff',
  selectionBackground: '#1f6feb44',
  black: '#24292f',
  red: '#b3261e',
  green: '#116329',
  yellow: '#7a5200',
  blue: '#0a4fbd',
  magenta: '#7b2fb0',
  cyan: '#0f6470',
  white: '#57606a',
  brightBlack: '#57606a',
  brightRed: '#a40e26',
  brightGreen: '#1a7f37',
  brightYellow: '#633c01',
  brightBlue: '#1f6feb',
  brightMagenta: '#8250df',
  brightCyan: '#1b7c83',
  brightWhite: '#32383f',
};

const lightWish = matchMedia('(prefers-color-scheme: light)');
const theme = () => (lightWish.matches ? light : dark);

const openLink = (_event, uri) => {
  window.open(uri, '_blank', 'noopener,noreferrer');
};

/** OSC 52: programs may put something on the clipboard, and never read it. */
const takeClipboard = (data) => {
  const [, encoded] = data.split(';');
  if (encoded && encoded !== '?' && encoded.length < 1_000_000) {
    try {
      const bytes = Uint8Array.from(atob(encoded), (character) => character.charCodeAt(0));
      void copy(new TextDecoder().decode(bytes));
    } catch {
      return true; // no base64: nothing to copy
    }
  }
  return true;
};

export const createView = (screen, { onResize }) => {
  const terminal = new Terminal({
    allowProposedApi: true, // the width of characters after Unicode 11
    cursorBlink: true,
    fontFamily: 'ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, "Noto Sans Mono CJK SC", monospace',
    fontSize: matchMedia('(max-width: 480px)').matches ? 12 : 14,
    macOptionIsMeta: true,
    macOptionClickForcesSelection: true,
    rightClickSelectsWord: false,
    scrollback: 10_000,
    minimumContrastRatio: 4.5,
    theme: theme(),
    linkHandler: { activate: openLink },
  });
  const fit = new FitAddon();
  terminal.loadAddon(fit);
  terminal.loadAddon(new WebLinksAddon(openLink));
  terminal.loadAddon(new Unicode11Addon());
  terminal.unicode.activeVersion = '11';
  terminal.parser.registerOscHandler(52, takeClipboard);
  terminal.open(screen);
  fit.fit();
  lightWish.addEventListener('change', () => {
    terminal.options.theme = theme();
  });

  let timer;
  const refit = () => {
    clearTimeout(timer);
    timer = setTimeout(() => fit.fit(), 80);
  };
  new ResizeObserver(refit).observe(screen);
  terminal.onResize(onResize);
  // The on-screen keyboard covers the page on some phones: what can be seen is all there is.
  visualViewport?.addEventListener('resize', () => {
    if (visualViewport.scale > 1.01) return; // somebody looks closer
    document.body.style.height = `${visualViewport.height}px`;
    scrollTo(0, 0);
  });
  document.fonts?.ready.then(refit);
  return terminal;
};
