import { WebSocket } from 'ws';
import { readFrame } from '../../../shared/terminal/frames.ts';
import { handshakeDeadline, isProof, newChallenge, prove } from '../../../shared/terminal/handshake.ts';
import { keepAlive } from '../../../shared/terminal/heartbeat.ts';
import { type EndReason, fromWorker, type OpenTerminal, welcome } from '../../../shared/terminal/protocol.ts';

/** Connects to a worker and opens a terminal there. */

export type Wish = Omit<OpenTerminal, 'type' | 'proof'>;
export type Opened = { socket: WebSocket } | { ended: EndReason };

/** Milliseconds: a refused connection says so at once, a host that is gone says nothing. */
const connectDeadline = 3_000;
/** Docker on a busy machine. */
const openDeadline = 20_000;
const heartbeat = 10_000;
/** More than a worker's largest piece of output. */
const longestFrame = 1024 * 1024;

/** The link is paused as it is given: nothing is lost before somebody listens. Rejects where there is no way. */
export const openLink = (
  address: string,
  secret: string,
  wish: Wish,
  signal: AbortSignal,
): Promise<Opened> => {
  const { promise, resolve, reject } = Promise.withResolvers<Opened>();
  const socket = new WebSocket(address, {
    handshakeTimeout: connectDeadline,
    maxPayload: longestFrame,
    perMessageDeflate: false,
  });
  const gateway = newChallenge();
  let proven = false;
  let timer = setTimeout(() => giveUp('the worker did not answer'), connectDeadline + handshakeDeadline);

  const leave = () => {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
    socket.off('message', take);
    socket.off('close', onClose);
  };
  const giveUp = (why: string) => {
    leave();
    socket.terminate();
    reject(new Error(why));
  };
  const onAbort = () => giveUp('not wanted any more');
  const onClose = () => giveUp('the worker closed the connection');
  const take = (data: Buffer, isBinary: boolean) => {
    if (!proven) {
      const greeting = readFrame(welcome, data, isBinary);
      const challenges = greeting && { gateway, worker: greeting.challenge };
      if (challenges === null || !isProof(greeting!.proof, secret, 'worker', challenges))
        return giveUp('whoever answered does not know the secret');
      proven = true;
      clearTimeout(timer);
      timer = setTimeout(() => giveUp('the terminal did not open in time'), openDeadline);
      const order: OpenTerminal = { type: 'open', proof: prove(secret, 'gateway', challenges), ...wish };
      return socket.send(JSON.stringify(order));
    }
    const answer = readFrame(fromWorker, data, isBinary);
    if (answer === null) return giveUp('the worker said what cannot be understood');
    leave();
    if (answer.type === 'ended') {
      socket.close();
      return resolve({ ended: answer.reason });
    }
    socket.pause();
    resolve({ socket });
  };

  socket.on('error', () => undefined); // `close` follows
  socket.on('open', () => socket.send(JSON.stringify({ type: 'hello', challenge: gateway })));
  socket.on('message', take);
  socket.on('close', onClose);
  keepAlive(socket, heartbeat);
  signal.addEventListener('abort', onAbort);
  if (signal.aborted) onAbort();
  return promise;
};
