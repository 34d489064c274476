import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { RetryableError } from '../../queues/errors.ts';

/**
 * SSH is ready when the published port answers with its banner. An open port says nothing: Docker's proxy
 * accepts connections before the VM's sshd listens, and closes them again.
 */

const firstPause = 10;
const longestPause = 1_000;
const answerTime = 5_000;

/** Where to knock for a server bound to `address`: a wildcard is reached over loopback. */
const reachable = (address: string): string => {
  if (address === '0.0.0.0') return '127.0.0.1';
  return address === '::' ? '::1' : address;
};

/** Whether one connection brings the banner. */
const knock = (host: string, port: number, signal: AbortSignal): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host, port, signal, timeout: answerTime });
    let received = '';
    const end = (ready: boolean) => {
      socket.destroy();
      resolve(ready);
    };
    socket.on('data', (piece) => {
      received += piece.toString('latin1');
      if (received.startsWith('SSH-')) end(true);
      else if (received.length >= 4) end(false);
    });
    socket.on('timeout', () => end(false));
    socket.on('error', () => end(false));
    socket.on('close', () => end(false));
  });

export type BannerWait = {
  address: string;
  port: number;
  /** Milliseconds. */
  deadline: number;
  signal: AbortSignal;
  /** Asked now and then while nothing answers; throws when waiting on makes no sense. */
  whileWaiting: () => Promise<void>;
};

/** Resolves at the banner. Throws RetryableError `ssh-not-ready` at the deadline, the signal's reason at its abort. */
export const waitForSshBanner = async ({ address, port, deadline, signal, whileWaiting }: BannerWait) => {
  const end = performance.now() + deadline;
  for (let pause = firstPause; performance.now() < end; pause = Math.min(pause * 1.5, longestPause)) {
    if (await knock(reachable(address), port, signal)) return;
    signal.throwIfAborted();
    if (pause > longestPause / 4) await whileWaiting();
    await sleep(pause, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
  throw new RetryableError('ssh-not-ready', '');
};
