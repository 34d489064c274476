import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** SSH as people find it: by the published port. It is there when the port answers with its banner. */

const longestPause = 1_000;
const answerTime = 5_000;

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

/** Resolves at the banner; throws after `deadline` milliseconds without it. */
export const waitForSshBanner = async (port: number, deadline: number): Promise<void> => {
  const signal = AbortSignal.timeout(deadline);
  for (let pause = 10; ; pause = Math.min(pause * 1.5, longestPause)) {
    if (await knock('127.0.0.1', port, signal)) return;
    await sleep(pause, undefined, { signal });
  }
};
