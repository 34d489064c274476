import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Log } from '../../../shared/log.ts';
import { readFrame } from '../../../shared/terminal/frames.ts';
import { handshakeDeadline, isProof, newChallenge, prove } from '../../../shared/terminal/handshake.ts';
import { keepAlive } from '../../../shared/terminal/heartbeat.ts';
import { hello, longestInput, type OpenTerminal, openTerminal } from '../../../shared/terminal/protocol.ts';
import type { VmHost } from '../vm-host.ts';
import { createLeftovers } from './leftovers.ts';
import { serveTerminal } from './terminal.ts';

/** The worker's internal port: gateways connect to it, one link for each terminal. It is not for people. */

export type LinkOptions = {
  host: VmHost;
  secret: string;
  bindAddress: string;
  port: number;
  /** What the gateway connects to; by default the address it binds to, or with all of them the machine's name. */
  publishedHost?: string | undefined;
  log: Log;
  patience?: number;
};

/** Milliseconds. */
const heartbeat = 10_000;
const strangersEvery = 60_000;
/** Connections in all, with those that have not shown yet who they are. */
const mostLinks = 2_000;

/** Resolves with the wish of a gateway that knows the secret; null with anybody else, or when it takes too long. */
const greet = (socket: WebSocket, secret: string): Promise<OpenTerminal | null> =>
  new Promise((resolve) => {
    const worker = newChallenge();
    let gateway: string | null = null;
    const settle = (wish: OpenTerminal | null) => {
      clearTimeout(timer);
      socket.off('message', take);
      resolve(wish);
    };
    const take = (data: Buffer, isBinary: boolean) => {
      if (gateway === null) {
        const greeting = readFrame(hello, data, isBinary);
        if (greeting === null) return settle(null);
        gateway = greeting.challenge;
        const proof = prove(secret, 'worker', { gateway, worker });
        return socket.send(JSON.stringify({ type: 'welcome', challenge: worker, proof }));
      }
      const wish = readFrame(openTerminal, data, isBinary);
      const proven = wish !== null && isProof(wish.proof, secret, 'gateway', { gateway, worker });
      settle(proven ? wish : null);
    };
    const timer = setTimeout(settle, handshakeDeadline, null);
    socket.on('message', take);
    socket.once('close', () => settle(null));
  });

/** Of a container, its neighbours know the name, and nobody knows the address beforehand. */
export const nameToPublish = (bindAddress: string): string =>
  ['0.0.0.0', '::'].includes(bindAddress) ? hostname() : bindAddress;

/** Listens; gives the address for the roll call. */
export const startLinkServer = async (options: LinkOptions) => {
  const {
    host,
    secret,
    bindAddress,
    port,
    publishedHost = nameToPublish(bindAddress),
    log,
    patience,
  } = options;
  const server = new WebSocketServer({
    host: bindAddress,
    port,
    maxPayload: longestInput,
    perMessageDeflate: false,
  });
  await once(server, 'listening');
  server.on('error', (err) => log.warn({ err }, 'terminals'));
  const leftovers = createLeftovers({
    engine: host.engine,
    log,
    ...(patience === undefined ? {} : { patience }),
  });

  let quietUntil = 0;
  /** A line each would let strangers fill the log. */
  const noteStranger = (from: string | undefined) => {
    if (performance.now() < quietUntil) return;
    quietUntil = performance.now() + strangersEvery;
    log.warn({ from }, 'somebody without the secret was turned away');
  };

  server.on('connection', async (socket, request) => {
    socket.on('error', (err) => log.debug({ err }, 'a terminal’s link'));
    if (server.clients.size > mostLinks) return socket.close(1013);
    keepAlive(socket, heartbeat);
    const wish = await greet(socket, secret);
    if (wish === null) {
      noteStranger(request.socket.remoteAddress);
      return socket.close(1008);
    }
    await serveTerminal({ host, leftovers, log }, socket, wish);
  });

  const { port: taken } = server.address() as AddressInfo;
  const name = publishedHost.includes(':') ? `[${publishedHost}]` : publishedHost;
  return {
    address: `ws://${name}:${taken}`,
    /** The gateway takes another worker; tmux keeps what runs. */
    async close(): Promise<void> {
      leftovers.close();
      const closed = once(server, 'close');
      server.close();
      for (const socket of server.clients) socket.terminate();
      await closed;
    },
  };
};
