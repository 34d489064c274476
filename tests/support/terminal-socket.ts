import { once } from 'node:events';
import { WebSocket } from 'ws';
import { type ToPage, toPage } from '../../shared/terminal/protocol.ts';

/** The terminal's page as a program: presses the button, keeps the cookie, speaks over the socket. */

export type Session = { path: string; cookie: string; origin: string };

export const pressButton = (link: string, origin = new URL(link).origin): Promise<Response> =>
  fetch(link, { method: 'POST', redirect: 'manual', headers: { origin } });

export const sessionOf = (link: string, response: Response): Session => ({
  path: response.headers.get('location')!,
  cookie: response.headers.getSetCookie()[0]!.split(';')[0]!,
  origin: new URL(link).origin,
});

export const startSession = async (link: string): Promise<Session> =>
  sessionOf(link, await pressButton(link));

export type TerminalSocket = {
  socket: WebSocket;
  output(): string;
  messages: ToPage[];
  /** Resolves with the close code. */
  closed: Promise<number>;
  send(text: string): void;
  say(message: object): void;
  waitFor(matches: (state: { output: string; messages: ToPage[] }) => boolean, ms?: number): Promise<void>;
};

export const newWindow = (): string => Math.random().toString(36).slice(2, 12).padEnd(10, '0');

export type SocketOptions = { window?: string; headers?: Record<string, string>; acknowledge?: boolean };

export const openSocket = (
  { path, cookie, origin }: Session,
  { window = newWindow(), headers = {}, acknowledge = true }: SocketOptions = {},
): TerminalSocket => {
  const socket = new WebSocket(`${origin.replace('http', 'ws')}${path}/socket?window=${window}`, {
    headers: { cookie, origin, ...headers },
  });
  let output = '';
  const messages: ToPage[] = [];
  const watchers = new Set<() => void>();
  const say = (message: object) => socket.send(JSON.stringify(message));
  socket.on('open', () => say({ type: 'resize', columns: 100, rows: 30 }));
  socket.on('message', (data: Buffer, isBinary) => {
    if (isBinary) {
      output = (output + data.toString()).slice(-200_000);
      if (acknowledge) say({ type: 'ack', bytes: data.length });
    } else messages.push(toPage.parse(JSON.parse(data.toString())));
    for (const watcher of watchers) watcher();
  });
  socket.on('error', () => undefined); // `close` follows
  const closed = once(socket, 'close').then(([code]) => code as number);
  return {
    socket,
    output: () => output,
    messages,
    closed,
    send: (text) => socket.send(Buffer.from(text)),
    say,
    waitFor(matches, ms = 15_000) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const look = () => matches({ output, messages }) && resolve();
      const timer = setTimeout(
        () => reject(new Error(`it never came: ${JSON.stringify(messages)}\n${output.slice(-2_000)}`)),
        ms,
      );
      watchers.add(look);
      look();
      return promise.finally(() => {
        clearTimeout(timer);
        watchers.delete(look);
      });
    },
  };
};

/** The socket of a new session, with its shell's prompt. */
export const openShell = async (link: string, options: SocketOptions = {}): Promise<TerminalSocket> => {
  const terminal = openSocket(await startSession(link), options);
  await terminal.waitFor(({ output }) => output.includes('$ '));
  return terminal;
};

/** Whether the upgrade was refused, and with which status. */
export const refusalOf = async (socket: WebSocket): Promise<number> => {
  const [, response] = await once(socket, 'unexpected-response');
  return response.statusCode as number;
};
