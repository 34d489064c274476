import type { ProblemCode } from './problems.ts';

/** Reads what cloudflared says on standard error: a time, a level, a sentence and fields, a line each. */

export type Said =
  | { kind: 'metrics'; address: string }
  | { kind: 'registered' }
  | { kind: 'problem'; code: Exclude<ProblemCode, 'settings'> };

/** The first that fits counts; a line about our own web server says nothing about the tunnel. */
const problems: [RegExp, Exclude<ProblemCode, 'settings'> | null][] = [
  [/Unable to reach the origin service|originService=|Request failed/, null],
  [/429 Too Many Requests|error code: 1015/i, 'rate-limited'],
  [/Unauthorized|Tunnel token is not valid|Invalid tunnel secret/i, 'refused'],
  [/requires the ID or name of the tunnel|flag provided but not defined/, 'too-old'],
  [/(dial|create( new)?) (a )?quic connection|dial to edge with quic/i, 'quic-blocked'],
  [
    /no such host|server misbehaving|network is unreachable|no route to host|name resolution|lookup \S+ on/i,
    'no-network',
  ],
  [/failed to request quick tunnel/i, 'no-network'],
  [/quick[ -]?tunnel response|failed to \w+ quick[ -]tunnel/i, 'service-fault'],
  [/connection with Cloudflare edge|Serve tunnel error|TLS handshake|Failed to dial/i, 'edge-unreachable'],
  [/Connection terminated|Lost connection with the edge|Register tunnel error/i, 'connection-lost'],
];

/** Null: nothing that matters here. */
export const readLine = (line: string): Said | null => {
  const metrics = /Starting metrics server on (\S+?)\/metrics/.exec(line);
  if (metrics !== null) return { kind: 'metrics', address: metrics[1]! };
  if (/Registered tunnel connection|Connection [0-9a-f-]{36} registered/i.test(line))
    return { kind: 'registered' };
  if (/^\S+ (INF|DBG) /.test(line)) return null;
  for (const [pattern, code] of problems) {
    if (pattern.test(line)) return code === null ? null : { kind: 'problem', code };
  }
  return null;
};

/** Lines about failed requests hold addresses with people's tickets in them: only the host stays. */
export const withoutPaths = (line: string): string =>
  line
    .replace(/(\w+:\/\/[^\s/"]+)\/[^\s"]*/g, '$1/…')
    // A path may also stand alone, as in `path=/t/…` or `GET /t/… HTTP/1.1`.
    .replace(/\/(?:t|d|terminal)\/[^\s"]*/g, '/…')
    .slice(0, 500);
