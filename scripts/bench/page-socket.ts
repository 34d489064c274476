import { once } from 'node:events';
import { WebSocket } from 'ws';
import { createOutput, type Output } from './output.ts';

/** A terminal's page without its browser: presses the link's button, and speaks the socket's protocol. */

export type Terminal = Pick<Output, 'until'> & {
  write(text: string): void;
  close(): Promise<void>;
};

export type Session = { open(window: string): Promise<Terminal> };

/** As the page does: not for every frame. */
const acknowledgedEvery = 64 * 1_024;

const attach = async (url: string, headers: Record<string, string>): Promise<Terminal> => {
  const socket = new WebSocket(url, { headers, perMessageDeflate: false });
  const output = createOutput();
  let unacknowledged = 0;
  const attached = new Promise<void>((resolve, reject) => {
    socket.on('message', (data: Buffer, isBinary) => {
      if (isBinary) {
        output.take(data);
        unacknowledged += data.length;
        if (unacknowledged < acknowledgedEvery) return;
        socket.send(JSON.stringify({ type: 'ack', bytes: unacknowledged }));
        unacknowledged = 0;
        return;
      }
      const { type, reason } = JSON.parse(data.toString()) as { type: string; reason?: string };
      if (type === 'attached') resolve();
      else reject(new Error(`the terminal is ${type}: ${reason}`));
    });
    socket.once('close', () => reject(new Error('the terminal was closed')));
    socket.once('error', reject);
  });
  await once(socket, 'open');
  socket.send(JSON.stringify({ type: 'resize', columns: 120, rows: 40 }));
  await attached;
  return {
    write: (text) => socket.send(Buffer.from(text)),
    until: output.until,
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
