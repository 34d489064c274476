import { once } from 'node:events';
import { WebSocket } from 'ws';

/** A terminal's page without its browser: presses the link's button, and speaks the socket's protocol. */

export type Terminal = {
  write(text: string): void;
  /** Resolves once the output since this call holds the text; gives how many bytes came until then. */
  until(text: string): Promise<number>;
  close(): Promise<void>;
};

export type Session = { open(window: string): Promise<Terminal> };

/** As the page does: not for every frame. */
const acknowledgedEvery = 64 * 1_024;

const attach = async (url: string, headers: Record<string, string>): Promise<Terminal> => {
  const socket = new WebSocket(url, { headers, perMessageDeflate: false });
  const listeners = new Set<(data: Buffer) => void>();
  const attached = new Promise<void>((resolve, reject) => {
    socket.on('message', (data: Buffer, isBinary) => {
      if (isBinary) {
        for (const listener of listeners) listener(data);
        return;
      }
      const { type, reason } = JSON.parse(data.toString()) as { type: string; reason?: string };
      if (type === 'attached') resolve();
      else reject(new Error(`the terminal is ${type}: ${reason}`));
    });
    socket.once('close', () => reject(new Error('the terminal was closed')));
    socket.once('error', reject);
  });
  let unacknowledged = 0;
  listeners.add(({ length }) => {
    unacknowledged += length;
    if (unacknowledged < acknowledgedEvery) return;
    socket.send(JSON.stringify({ type: 'ack', bytes: unacknowledged }));
    unacknowledged = 0;
  });
  await once(socket, 'open');
  socket.send(JSON.stringify({ type: 'resize', columns: 120, rows: 40 }));
  await attached;
  return {
    write: (text) => socket.send(Buffer.from(text)),
    until: (text) =>
      new Promise((resolve) => {
        let [bytes, tail] = [0, ''];
        const listener = (data: Buffer): void => {
          bytes += data.length;
          tail = (tail + data.toString('latin1')).slice(-(data.length + text.length));
          if (!tail.includes(text)) return;
          listeners.delete(listener);
          resolve(bytes);
        };
        listeners.add(listener);
      }),
    async close() {
      const closed = once(socket, 'close');
      socket.close();
      await closed;
    },
  };
};

export const openSession = async (link: string): Promise<Session> => {
  const { origin, host } = new URL(link);
  const pressed = await fetch(link, { method: 'POST', headers: { origin }, redirect: 'manual' });
  const path = pressed.headers.get('location');
  const cookie = pressed.headers.get('set-cookie')?.split(';')[0];
  if (pressed.status !== 303 || path === null || cookie === undefined)
    throw new Error(`the link led to status ${pressed.status}`);
  return { open: (window) => attach(`ws://${host}${path}/socket?window=${window}`, { origin, cookie }) };
};
