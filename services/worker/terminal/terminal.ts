import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import type { Log } from '../../../shared/log.ts';
import { readFrame } from '../../../shared/terminal/frames.ts';
import { type FromWorker, fromPage, type OpenTerminal } from '../../../shared/terminal/protocol.ts';
import { createWatermarks } from '../../../shared/terminal/watermarks.ts';
import type { VmHost } from '../vm-host.ts';
import type { Leftovers } from './leftovers.ts';
import { findContainer, openPty, type Pty } from './pty.ts';
import { detach, killSessions, sessionNameOf } from './tmux.ts';

/** One terminal: carries bytes between a link and a PTY until one of them ends. */

export type TerminalDeps = { host: VmHost; leftovers: Leftovers; log: Log };

export const mostWindows = 20;
/** Bytes that may wait in the link itself, whatever was acknowledged. */
const mostWaiting = 4 * 1024 * 1024;

/** With their growing pauses about six seconds. */
const endAttempts = 7;

const tell = (socket: WebSocket, message: FromWorker): void => socket.send(JSON.stringify(message));

const end = (socket: WebSocket, reason: Extract<FromWorker, { type: 'ended' }>['reason']): void => {
  tell(socket, { type: 'ended', reason });
  socket.close(1000);
};

/** Only the newest size counts; Docker is told of one after another. */
const createResizer = (pty: Pty, log: Log) => {
  let wanted: [number, number] | null = null;
  let running = false;
  return async (columns: number, rows: number): Promise<void> => {
    wanted = [columns, rows];
    if (running) return;
    running = true;
    while (wanted !== null) {
      const [width, height]: [number, number] = wanted;
      wanted = null;
      await pty.resize(width, height).catch((err: unknown) => log.debug({ err }, 'could not resize'));
    }
    running = false;
  };
};

/** Gives what is to be done once the link has closed. */
const carry = ({ host, leftovers, log }: TerminalDeps, socket: WebSocket, pty: Pty): (() => void) => {
  const { engine } = host;
  const { stream, containerId, session } = pty;
  let endWished = false;
  let acknowledgedEnough = true;
  const mayFlow = () => acknowledgedEnough && socket.bufferedAmount < mostWaiting;
  const regulate = () => {
    if (mayFlow()) stream.resume();
    else stream.pause();
  };
  const watermarks = createWatermarks({
    pause: () => {
      acknowledgedEnough = false;
      stream.pause();
    },
    resume: () => {
      acknowledgedEnough = true;
      regulate();
    },
  });
  const resize = createResizer(pty, log);

  let gone = false;
  const ended = new Promise<void>((resolve) => {
    const note = () => {
      gone = true;
      resolve();
    };
    stream.once('end', note).once('close', note);
  });
  const endSession = async () => {
    endWished = true;
    // Right after the opening tmux may not have made the session yet: asked again until the terminal has ended.
    for (let attempt = 0; attempt < endAttempts && !gone; attempt += 1) {
      await killSessions(engine, containerId, [session], {});
      await Promise.race([ended, sleep(50 * 2 ** attempt)]);
    }
  };
  const sayWhy = async () => {
    const why = await pty.whyEnded();
    if (why === null) socket.close(1001);
    else end(socket, why === 'exited' && endWished ? 'ended' : why);
  };
  const failed = (what: string) => (err: unknown) => {
    log.warn({ err }, what);
    socket.close(1011);
  };

  stream.on('data', (piece: Buffer) => {
    socket.send(piece, regulate);
    watermarks.sent(piece.length);
    if (!mayFlow()) stream.pause();
  });
  stream.on('drain', () => socket.resume());
  let over = false;
  const streamEnded = () => {
    if (over) return;
    over = true;
    sayWhy().catch(failed('a terminal ended, and it is not known why'));
  };
  stream.once('end', streamEnded);
  stream.once('close', streamEnded);

  socket.on('message', (data: Buffer, isBinary) => {
    if (over) return;
    if (isBinary) {
      if (!stream.write(data)) socket.pause();
      return;
    }
    const message = readFrame(fromPage, data, isBinary);
    if (message === null) return socket.close(1008);
    if (message.type === 'ack') watermarks.acknowledged(message.bytes);
    else if (message.type === 'resize') void resize(message.columns, message.rows);
    else endSession().catch(failed('could not end a terminal'));
  });
  return () => {
    leftovers.stopped(containerId, session);
    const left = !over;
    over = true;
    stream.destroy();
    if (!left) return;
    // Closing the stream leaves tmux's client attached: nothing in Docker ends it.
    detach(engine, containerId, session, {}).catch((err: unknown) => log.debug({ err }, 'could not detach'));
  };
};

/** Opens what was asked for, or says why not. Never rejects. */
export const serveTerminal = async (
  deps: TerminalDeps,
  socket: WebSocket,
  order: OpenTerminal,
): Promise<void> => {
  const { host, leftovers, log } = deps;
  const hasClosed = (): boolean => socket.readyState === WebSocket.CLOSED;
  try {
    socket.pause(); // what comes meanwhile waits
    const life = await findContainer(host, order);
    socket.resume();
    if (life === null) return end(socket, 'vm-destroyed');
    if (!life.running) return end(socket, 'vm-not-running');
    const others = await leftovers.sweep(life.id, sessionNameOf(order));
    if (others >= mostWindows) return end(socket, 'too-many');
    if (hasClosed()) return;
    const pty = await openPty(host, order, life);
    leftovers.began(pty.containerId, pty.session);
    tell(socket, { type: 'opened' });
    const leave = carry(deps, socket, pty);
    if (hasClosed())
      leave(); // while Docker was asked
    else socket.once('close', leave);
  } catch (err) {
    log.warn({ err, vmId: order.vmId }, 'a terminal could not be opened');
    socket.resume();
    socket.close(1011);
  }
};
