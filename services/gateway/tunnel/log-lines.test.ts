import { describe, expect, it } from 'vitest';
import { readLine, withoutPaths } from './log-lines.ts';

/** Lines as cloudflared writes them, taken from its issue tracker. */
const lines: [string, ReturnType<typeof readLine>][] = [
  [
    '2025-07-07T15:38:21Z INF Starting metrics server on 127.0.0.1:20241/metrics',
    { kind: 'metrics', address: '127.0.0.1:20241' },
  ],
  [
    '2026-10-01T00:00:00Z INF Registered tunnel connection connIndex=0 location=fra01 protocol=quic',
    { kind: 'registered' },
  ],
  [
    '2022-04-26T13:57:23Z INF Connection 5c313303-b31f-4cbe-96d7-3c111c8ac630 registered connIndex=1 location=DEN',
    { kind: 'registered' },
  ],
  [
    `2026-05-29T09:25:34Z ERR Error unmarshaling QuickTunnel response: error code: 1015 error="invalid character 'e' looking for beginning of value" status_code="429 Too Many Requests"`,
    { kind: 'problem', code: 'rate-limited' },
  ],
  [
    "failed to unmarshal quick Tunnel: invalid character 'e' looking for beginning of value",
    { kind: 'problem', code: 'service-fault' },
  ],
  [
    'failed to request quick Tunnel: Post "https://api.trycloudflare.com/tunnel": dial tcp: lookup api.trycloudflare.com on 127.0.0.11:53: no such host',
    { kind: 'problem', code: 'no-network' },
  ],
  [
    'failed to request quick Tunnel: Post "https://api.trycloudflare.com/tunnel": context deadline exceeded',
    { kind: 'problem', code: 'no-network' },
  ],
  ['failed to parse quick Tunnel ID: invalid UUID length: 0', { kind: 'problem', code: 'service-fault' }],
  [
    '2025-07-07T15:38:26Z ERR Failed to dial a quic connection error="failed to dial to edge with quic: timeout: no recent network activity" connIndex=0 event=0',
    { kind: 'problem', code: 'quic-blocked' },
  ],
  [
    '2024-04-06T07:20:46Z ERR Failed to create new quic connection error="failed to dial to edge with quic: timeout: no recent network activity" connIndex=0',
    { kind: 'problem', code: 'quic-blocked' },
  ],
  [
    '2022-07-25T12:47:31Z WRN Unable to establish connection with Cloudflare edge error="TLS handshake with edge error: read tcp 172.30.33.5:37452->198.41.200.193:7844: i/o timeout" connIndex=0',
    { kind: 'problem', code: 'edge-unreachable' },
  ],
  [
    '2021-08-02T13:44:44Z ERR Register tunnel error from server side error="Unauthorized: Invalid tunnel secret" connIndex=0',
    { kind: 'problem', code: 'refused' },
  ],
  ['Provided Tunnel token is not valid.', { kind: 'problem', code: 'refused' }],
  [
    '"cloudflared tunnel run" requires the ID or name of the tunnel to run as the last command line argument or in the configuration file.',
    { kind: 'problem', code: 'too-old' },
  ],
  [
    '2024-04-06T07:20:22Z ERR Connection terminated error="failed to accept QUIC stream: timeout: no recent network activity" connIndex=0',
    { kind: 'problem', code: 'connection-lost' },
  ],
  // The web server did not answer, which is no fault of the tunnel's.
  [
    '2024-07-10T16:20:29Z ERR Request failed error="Unable to reach the origin service. The service may be down: dial tcp 127.0.0.1:8080: connect: no route to host" connIndex=2 dest=https://a.trycloudflare.com/t/abc type=http',
    null,
  ],
  ['2025-07-07T15:38:26Z INF Retrying connection in up to 2s connIndex=0 event=0', null],
  ['2026-05-29T09:25:34Z INF Requesting new quick Tunnel on trycloudflare.com...', null],
];

describe('cloudflared’s lines', () => {
  it.each(lines)('%s', (line, said) => {
    expect(readLine(line)).toEqual(said);
  });

  it('lose the tickets in the addresses of failed requests before they are logged', () => {
    const line =
      'ERR Request failed connIndex=2 dest=https://a.trycloudflare.com/t/SECRET?x=SECRET type=http';
    expect(withoutPaths(line)).toBe(
      'ERR Request failed connIndex=2 dest=https://a.trycloudflare.com/… type=http',
    );
  });

  it.each([
    'ERR error="Get \\"http://127.0.0.1:8080/t/SECRET\\": EOF" connIndex=0',
    'ERR failed originService=http://127.0.0.1:8080 path=/t/SECRET type=http',
    'ERR failed request="GET /d/SECRET HTTP/1.1"',
    'ERR dest=wss://a.trycloudflare.com/terminal/SECRET/socket?window=SECRET type=ws',
    'ERR failed path=/terminal/SECRET/socket?window=SECRET',
  ])('lose them wherever they stand: %s', (line) => {
    expect(withoutPaths(line)).toMatch(/^ERR /);
    expect(withoutPaths(line)).not.toContain('SECRET');
  });
});
