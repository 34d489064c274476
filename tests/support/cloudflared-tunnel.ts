import { once } from 'node:events';
import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';
import { z } from 'zod';
import { addressOf } from '../../services/gateway/tunnel/address.ts';
import { tunnelRule, tunnelVariables } from '../../services/gateway/tunnel/env.ts';
import type { Timings } from '../../services/gateway/tunnel/supervise.ts';
import { createTunnel, type Tunnel } from '../../services/gateway/tunnel/tunnel.ts';
import { parseEnv } from '../../shared/env.ts';
import { createLog } from '../../shared/log.ts';

/** A tunnel in the test's own process, before a web server that answers what the gateway does. */

const serve = async (host: string) => {
  const server = createServer((request, response) => {
    response.writeHead(200, { 'x-host': request.headers.host ?? '' });
    response.end(
      request.url === '/healthz' ? '{"status":"ok"}' : `hello ${request.headers['x-forwarded-proto']}`,
    );
  });
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket) => {
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
  });
  server.listen(0, host);
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  return {
    port,
    stop: async () => {
      for (const client of sockets.clients) client.terminate();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
};

export type TestTunnel = {
  tunnel: Tunnel;
  address: string;
  log: () => string;
  /** Opens, and gives up after a minute as a job would not. */
  open: () => ReturnType<Tunnel['open']>;
  stop: () => Promise<void>;
};

export const startTunnel = async (
  variables: Record<string, string>,
  /** `bind`: where the web server listens. `port`: where the tunnel leads to, if not there. */
  options: { instance?: string; times?: Partial<Timings>; bind?: string; port?: number } = {},
): Promise<TestTunnel> => {
  const bind = options.bind ?? '127.0.0.1';
  const web = await serve(bind);
  const env = parseEnv(z.object(tunnelVariables).check(tunnelRule), { PATH: process.env.PATH, ...variables });
  const written: string[] = [];
  const address = addressOf(bind, options.port ?? web.port);
  const tunnel = createTunnel({
    env,
    instance: options.instance ?? 'tunnel-test',
    address,
    log: createLog('gateway', 'debug', { write: (text: string) => void written.push(text) }),
    times: { shortestDelay: 50, look: 200, ...options.times },
  });
  await tunnel.begin();
  return {
    tunnel,
    address,
    log: () => written.join(''),
    open: () => tunnel.open(new AbortController().signal),
    stop: async () => {
      await tunnel.close();
      await web.stop();
    },
  };
};
