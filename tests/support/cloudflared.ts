import { appendFileSync, readFileSync, statSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import { parseArgs } from 'node:util';
import type { Control, Start } from './cloudflared-install.ts';

/**
 * Stands in for cloudflared: its arguments, its port for metrics, its lines on standard error, its exit statuses, and its
 * failures as the control file says. It really forwards HTTP and WebSockets; its public addresses are on loopback.
 */

const [controlFile, journal, ...argv] = process.argv.slice(2);
const control = (): Control => JSON.parse(readFileSync(controlFile!, 'utf8')) as Control;
const { mode = 'good', version = '2025.8.1' } = control();

const say = (level: string, text: string): void => {
  process.stderr.write(`${new Date().toISOString().slice(0, 19)}Z ${level} ${text}\n`);
};
const leave = (text: string, status: number): never => {
  process.stderr.write(`${text}\n`);
  process.exit(status);
};

if (argv.includes('--version')) {
  process.stdout.write(`cloudflared version ${version} (built 2025-08-21-1534 UTC)\n`);
  process.exit(0);
}

const tokenFile = process.env.TUNNEL_TOKEN_FILE;
const start: Start = {
  pid: process.pid,
  argv,
  env: { ...process.env } as Record<string, string>,
  tokenFileMode: tokenFile === undefined ? null : (statSync(tokenFile).mode & 0o777).toString(8),
};
appendFileSync(journal!, `${JSON.stringify(start)}\n`);

const { values, positionals } = parseArgs({
  args: argv,
  allowPositionals: true,
  options: {
    'no-autoupdate': { type: 'boolean' },
    config: { type: 'string' },
    metrics: { type: 'string' },
    'grace-period': { type: 'string' },
    protocol: { type: 'string' },
    url: { type: 'string' },
  },
});
const isNamed = positionals.join(' ') === 'tunnel run';
if (values.config === undefined || readFileSync(values.config, 'utf8') === '') leave('no configuration', 1);

let ending = false;
process.on('SIGTERM', () => {
  if (control().ignoresTerm === true) return;
  ending = true;
  say('INF', 'Initiating graceful shutdown due to signal terminated ...');
  process.exit(0);
});

/** What a named tunnel leads to is told by the edge: here, by the API's stand-in. */
const ingress = async (): Promise<string> => {
  if (!isNamed) return values.url ?? leave('no --url', 1);
  if (tokenFile === undefined) {
    return leave(
      '"cloudflared tunnel run" requires the ID or name of the tunnel to run as the last command line argument or in the configuration file.',
      1,
    );
  }
  const token = readFileSync(tokenFile, 'utf8').trim();
  const { a, t } = JSON.parse(Buffer.from(token, 'base64').toString()) as { a: string; t: string };
  const answer = await fetch(`${control().apiRoot}/edge/${a}/${t}`);
  if (!answer.ok) return leave('Provided Tunnel token is not valid.', 1);
  const { service } = (await answer.json()) as { service: string };
  return service;
};

if (!isNamed) {
  say('INF', 'Thank you for trying Cloudflare Tunnel.');
  say('INF', 'Requesting new quick Tunnel on trycloudflare.com...');
  if (mode === 'rate-limited') {
    say(
      'ERR',
      `Error unmarshaling QuickTunnel response: error code: 1015 error="invalid character 'e' looking for beginning of value" status_code="429 Too Many Requests"`,
    );
    leave("failed to unmarshal quick Tunnel: invalid character 'e' looking for beginning of value", 1);
  }
  if (mode === 'no-network') {
    leave(
      'failed to request quick Tunnel: Post "https://api.trycloudflare.com/tunnel": dial tcp: lookup api.trycloudflare.com on 127.0.0.53:53: no such host',
      1,
    );
  }
}
const target = new URL(await ingress());
const edge = createServer();
const forward = (incoming: IncomingMessage) => {
  const headers: IncomingHttpHeaders = {
    ...incoming.headers,
    'x-forwarded-proto': control().forwardedProto ?? 'https',
    'x-forwarded-for': '203.0.113.7',
    'cf-connecting-ip': '203.0.113.7',
    'cf-ray': '9a1b2c3d4e5f6a7b-FRA',
  };
  return request({
    host: target.hostname.replace(/^\[|\]$/g, ''),
    port: target.port,
    method: incoming.method,
    path: incoming.url,
    headers,
  });
};
edge.on('request', (incoming, outgoing) => {
  if (control().mode === 'not-answering') return void outgoing.writeHead(530).end('error code: 1033');
  const onward = forward(incoming);
  onward.on('response', (answer) => {
    outgoing.writeHead(answer.statusCode!, answer.headers);
    answer.pipe(outgoing);
  });
  onward.on('error', (error) => {
    say(
      'ERR',
      `Request failed error="Unable to reach the origin service. The service may be down or it may not be responding to traffic from cloudflared: ${error.message}" connIndex=0 dest=https://${incoming.headers.host}${incoming.url} event=0 ip=198.41.192.77 type=http`,
    );
    if (!outgoing.headersSent) outgoing.writeHead(502);
    outgoing.end();
  });
  incoming.pipe(onward);
});
edge.on('upgrade', (incoming, socket, head) => {
  const onward = forward(incoming);
  onward.on('upgrade', (answer, upstream, first) => {
    const lines = answer.rawHeaders.reduce(
      (text, part, index) => text + part + (index % 2 === 0 ? ': ' : '\r\n'),
      `HTTP/1.1 101 Switching Protocols\r\n`,
    );
    socket.write(`${lines}\r\n`);
    socket.write(first);
    upstream.write(head);
    socket.pipe(upstream).pipe(socket);
    for (const [one, other] of [
      [socket, upstream],
      [upstream, socket],
    ] as const) {
      one.on('error', () => other.destroy());
      one.on('close', () => other.destroy());
    }
  });
  onward.on('response', (answer) => {
    socket.end(`HTTP/1.1 ${answer.statusCode} Refused\r\nconnection: close\r\n\r\n`);
  });
  onward.on('error', () => socket.destroy());
  onward.end();
});
await new Promise<void>((resolve) => edge.listen(isNamed ? control().edgePort : 0, '127.0.0.1', resolve));
const { port } = edge.address() as { port: number };
const hostname = isNamed ? '' : `http://127.0.0.1:${port}`;
if (!isNamed) say('INF', `|  ${hostname}  |`);

let isConnected = false;
const metrics = createServer((incoming, answer) => {
  if (incoming.url === '/quicktunnel') return void answer.end(JSON.stringify({ hostname }));
  if (incoming.url === '/metrics') {
    const build = `build_info{goversion="go1.24.4",revision="2025-08-21-1534 UTC",type="",version="${version}"} 1`;
    return void answer.end(`# TYPE build_info gauge\n${build}\ncloudflared_tunnel_ha_connections 1\n`);
  }
  if (incoming.url !== '/ready') return void answer.writeHead(404).end();
  const ready = isConnected && control().connected !== false;
  answer.writeHead(ready ? 200 : 503).end(JSON.stringify({ readyConnections: ready ? 1 : 0 }));
});
const [host, metricsPort] = values.metrics!.split(':');
await new Promise<void>((resolve) => metrics.listen(Number(metricsPort), host, resolve));
const address = metrics.address() as { port: number };
say('INF', `Starting metrics server on ${host}:${address.port}/metrics`);

const every = (ms: number, say: () => void): void => {
  say();
  setInterval(() => ending || say(), ms).unref();
};
const connect = (): void => {
  isConnected = true;
  say(
    'INF',
    'Registered tunnel connection connIndex=0 connection=0a8dbe2e-5b2e-4d6a-a9c5-3f8c9d1e7b60 event=0 ip=198.41.192.77 location=fra01 protocol=quic',
  );
};
const dialFailure = `Failed to dial a quic connection error="failed to dial to edge with quic: timeout: no recent network activity" connIndex=0 event=0 ip=198.41.200.13`;
if (mode === 'no-connection') {
  every(300, () =>
    say(
      'ERR',
      'Unable to establish connection with Cloudflare edge error="TLS handshake with edge error: read tcp 10.0.0.5:37452->198.41.200.193:7844: i/o timeout" connIndex=0',
    ),
  );
} else if (mode === 'refused') {
  every(100, () =>
    say('ERR', 'Register tunnel error from server side error="Unauthorized: Tunnel not found" connIndex=0'),
  );
} else if (mode === 'quic-blocked' && values.protocol !== 'http2') {
  every(100, () => say('ERR', dialFailure));
} else if (mode !== 'silent') {
  connect();
}
const { diesAfterMs } = control();
if (diesAfterMs !== undefined) setTimeout(() => leave('panic: runtime error', 2), diesAfterMs);
