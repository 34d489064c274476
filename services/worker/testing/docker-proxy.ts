import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { testEnv } from './vm-host.ts';

/**
 * Stands between a worker and Docker, and loses answers. Docker does what it was asked, except with `refuse`.
 * `cut` closes the connection instead of answering, `hang` never answers, `half` stops in the middle; `refuse` closes it
 * before Docker hears of the request; `error` answers 500 when Docker has done it; `hold` has Docker hear of it only at
 * `letGo`, whether or not whoever asked still lives.
 */
export type Fault = 'cut' | 'hang' | 'half' | 'refuse' | 'error' | 'hold';

const said = JSON.stringify({ message: 'the proxy of a test says so' });
const internalError = `HTTP/1.1 500 Internal Server Error\r\nContent-Type: application/json\r\nContent-Length: ${said.length}\r\nConnection: close\r\n\r\n${said}`;

export type DockerProxy = {
  /** As in DOCKER_HOST. */
  address: string;
  /** The fault of a request such as `POST /containers/x/start`, or undefined. */
  faultOf: (request: string) => Fault | undefined;
  /** How many requests are held. */
  held(): number;
  /** Passes on to Docker what was held. */
  letGo(): void;
  close(): Promise<void>;
};

/** `dockerHost`: the engine behind it, a socket; the machine's own where it is not given. */
export const startDockerProxy = async (dockerHost = testEnv.DOCKER_HOST): Promise<DockerProxy> => {
  const folder = await mkdtemp(join(tmpdir(), 'berth-docker-'));
  const path = join(folder, 'docker.sock');
  const sockets = new Set<Socket>();
  const held = new Map<Socket, Buffer[]>();
  const proxy: DockerProxy = {
    address: `unix://${path}`,
    faultOf: () => undefined,
    held: () => held.size,
    letGo: () => {
      for (const [engine, pieces] of held) engine.write(Buffer.concat(pieces));
      held.clear();
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await rm(folder, { recursive: true });
    },
  };
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const engine = connect({ path: dockerHost.replace('unix://', ''), allowHalfOpen: true });
    let fault: Fault | undefined;
    for (const socket of [client, engine]) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => {
        sockets.delete(socket);
        if (socket === engine) client.destroy();
        else if (fault !== 'hold') engine.destroy();
      });
    }
    client.on('end', () => fault !== 'hold' && engine.end()); // the end of an exec's input is not the end of its output
    engine.on('end', () => client.end());
    client.on('data', (data) => {
      const [request] = /^(GET|POST|DELETE|PUT) \S+/.exec(data.toString('latin1')) ?? [];
      if (request !== undefined) fault = proxy.faultOf(request);
      if (fault === 'refuse') client.destroy();
      else if (fault === 'hold') held.set(engine, [...(held.get(engine) ?? []), data]);
      else engine.write(data);
    });
    engine.on('data', (data) => {
      if (fault === 'cut') client.destroy();
      else if (fault === 'error') client.end(internalError);
      else if (fault === 'half') client.write(data.subarray(0, data.length / 2));
      else if (fault === undefined) client.write(data);
    });
  });
  server.listen(path);
  await once(server, 'listening');
  return proxy;
};
