import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

/** When SSH answers, seen from outside: the same look for Berth's VMs and for Docker's. */

/** Milliseconds between two looks. */
const interval = 5;

/**
 * Whether one connection brings the banner soon. Docker's proxy accepts before the container can be reached; such
 * a connection hangs for a second, so it is left for a new one.
 */
const knock = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, timeout: 60 });
    const end = (ready: boolean): void => {
      socket.destroy();
      resolve(ready);
    };
    socket.once('data', (piece) => end(piece.toString('latin1').startsWith('SSH-')));
    for (const failure of ['error', 'close', 'timeout']) socket.once(failure, () => end(false));
  });

/** Resolves at the banner; throws when there is none within a minute. */
export const banner = async (port: number, signal: AbortSignal): Promise<void> => {
  const ended = AbortSignal.any([signal, AbortSignal.timeout(60_000)]);
  while (!(await knock(port))) await pause(interval, undefined, { signal: ended });
};
