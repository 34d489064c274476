/** A connection whose other end is gone may never say so: it is asked, and given up when it does not answer. */

type Pinged = {
  ping(): void;
  terminate(): void;
  on(event: 'pong' | 'message' | 'close', listener: () => void): unknown;
  readonly readyState: number;
  readonly isPaused: boolean;
};

const open = 1;

/** `every` in milliseconds; it is noticed within twice that. A side that is not read from cannot be heard answering. */
export const keepAlive = (socket: Pinged, every: number): void => {
  let heard = true;
  const hear = () => {
    heard = true;
  };
  const timer = setInterval(() => {
    if (socket.readyState !== open) return;
    if (socket.isPaused) return hear();
    if (!heard) return socket.terminate();
    heard = false;
    socket.ping();
  }, every);
  socket.on('pong', hear);
  socket.on('message', hear);
  socket.on('close', () => clearInterval(timer));
};
