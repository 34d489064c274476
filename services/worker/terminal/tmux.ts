import type { CallOptions, Engine } from '../docker/engine.ts';
import { runInContainer } from '../docker/exec.ts';

/**
 * Each window of the web terminal is a tmux session in the VM, on a tmux server of its own: people's tmux has its own
 * settings and is none of our business. tmux stays out of sight: no status line, no prefix key, and the shell does not
 * know that it runs in one, so that people's own tmux works inside.
 *
 * `@seen` — a session's own note of when a worker last served it, in seconds. Who is attached says little: a worker
 *   that was killed leaves its client behind, attached for ever.
 */

const user = 'dev';
const prefix = 'web-';
const tmux = ['tmux', '-u', '-L', 'berth-web', '-f', '/dev/null'];

export const sessionNameOf = ({ session, window }: { session: string; window: string }): string =>
  `${prefix}${session}-${window}`;

/** `=` takes the name literally, where tmux would otherwise guess from its beginning. */
const exactly = (name: string): string => `=${name}:`;

const settings: [option: string, value: string][] = [
  ['status', 'off'],
  ['prefix', 'None'],
  ['prefix2', 'None'],
  ['mouse', 'on'],
  ['history-limit', '10000'],
  ['escape-time', '10'],
  ['focus-events', 'on'],
  ['default-terminal', 'tmux-256color'],
  ['terminal-overrides', 'xterm-256color:Tc'],
  // What programs copy, and what is selected by mouse, goes to the page's clipboard (OSC 52).
  ['set-clipboard', 'on'],
  ['default-command', 'exec env -u TMUX -u TMUX_PANE "$SHELL" -l'],
];

/** The right button belongs to the page's own menu. */
const unbound = ['MouseDown3Pane', 'M-MouseDown3Pane'];

/**
 * Attaches to the session, which is made where there is none, and sends away whoever else is attached. The PTY gets its
 * size before tmux looks at it: Docker gives it one only afterwards.
 */
export const attachCommand = (name: string, { columns, rows }: { columns: number; rows: number }) => ({
  Cmd: [
    'sh',
    '-c',
    'stty cols "$1" rows "$2"; shift 2; exec "$@"',
    'sh',
    `${columns}`,
    `${rows}`,
    ...tmux,
    'start-server',
    ...settings.flatMap(([option, value]) => [';', 'set-option', '-g', option, value]),
    ...unbound.flatMap((key) => [';', 'unbind-key', '-q', '-n', key]),
    ...[';', 'new-session', '-A', '-D', '-s', name, '-c', '/home/dev'],
    ...[';', 'set-option', '-t', exactly(name), '@seen', now()],
  ],
  User: user,
  Env: ['TERM=xterm-256color', 'COLORTERM=truecolor', 'LANG=C.UTF-8'],
});

const now = (): string => `${Math.floor(Date.now() / 1_000)}`;

const run = (engine: Engine, containerId: string, args: string[], options: CallOptions) =>
  runInContainer(engine, containerId, { argv: [...tmux, ...args], user }, options);

export type WebSession = { name: string; seenAt: number };

/** Our sessions of that VM, with when each was last seen, in milliseconds. What the VM says is checked. */
export const listSessions = async (
  engine: Engine,
  containerId: string,
  options: CallOptions,
): Promise<WebSession[]> => {
  const { stdout } = await run(
    engine,
    containerId,
    ['list-sessions', '-F', '#{session_name} #{@seen}'],
    options,
  );
  const lines = stdout.matchAll(/^(web-[a-z0-9]{8,32}-[a-z0-9]{8,32}) (\d{0,15})$/gm);
  return [...lines].map(([, name, seen]) => ({ name: name!, seenAt: Number(seen) * 1_000 }));
};

export const hasSession = async (engine: Engine, containerId: string, name: string, options: CallOptions) =>
  (await run(engine, containerId, ['has-session', '-t', exactly(name)], options)).exitCode === 0;

const chain = (commands: string[][]): string[] =>
  commands.flatMap((command, index) => (index === 0 ? command : [';', ...command]));

/** Ends the sessions, and with each what runs in it. A chain stops at its first fault: each goes by itself. */
export const killSessions = async (
  engine: Engine,
  containerId: string,
  names: string[],
  options: CallOptions,
) => {
  for (const name of names) await run(engine, containerId, ['kill-session', '-t', exactly(name)], options);
};

export const noteSeen = async (
  engine: Engine,
  containerId: string,
  names: string[],
  options: CallOptions,
) => {
  if (names.length === 0) return;
  const notes = names.map((name) => ['set-option', '-t', exactly(name), '@seen', now()]);
  await run(engine, containerId, chain(notes), options);
};

/** The session goes on without anybody attached. */
export const detach = async (engine: Engine, containerId: string, name: string, options: CallOptions) => {
  await run(
    engine,
    containerId,
    chain([
      ['set-option', '-t', exactly(name), '@seen', now()],
      ['detach-client', '-s', exactly(name)],
    ]),
    options,
  );
};
