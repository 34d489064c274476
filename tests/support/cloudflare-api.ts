import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

/** Stands in for the part of Cloudflare's API that sets up a named tunnel: it remembers, and it can be told to fail. */

export type FakeRecord = {
  id: string;
  type: string;
  name: string;
  content: string;
  proxied: boolean;
  comment?: string | null;
};
type Rule = { hostname?: string; service: string };
type FakeTunnel = { id: string; name: string; config_src: string; ingress: Rule[] };
/** `/zones` and the like; the method too where it matters. */
type Fault = { method?: string; path: RegExp; status: number; code: number; message: string; times: number };

export const startCloudflareApi = async (settings: { token: string; accountId: string; zones: string[] }) => {
  const { token, accountId } = settings;
  const tunnels: FakeTunnel[] = [];
  const zones = settings.zones.map((name) => ({ id: randomUUID().replaceAll('-', ''), name }));
  const records = new Map<string, FakeRecord[]>(zones.map(({ id }) => [id, []]));
  const faults: Fault[] = [];
  const calls: string[] = [];
  let isTokenActive = true;

  const answer = (response: ServerResponse, status: number, body: object): void => {
    response.writeHead(status, { 'content-type': 'application/json', 'retry-after-ms': '50' });
    response.end(JSON.stringify(body));
  };
  const good = (response: ServerResponse, result: unknown): void => {
    const info = Array.isArray(result)
      ? { result_info: { page: 1, per_page: 100, count: result.length, total_count: result.length } }
      : {};
    answer(response, 200, { success: true, errors: [], messages: [], result, ...info });
  };
  const bad = (response: ServerResponse, status: number, code: number, message: string): void =>
    answer(response, status, { success: false, errors: [{ code, message }], messages: [], result: null });

  const tokenOf = (id: string): string =>
    Buffer.from(JSON.stringify({ a: accountId, t: id, s: `tunnel-secret-of-${id}` })).toString('base64');

  const serveTunnels = (response: ServerResponse, method: string, rest: string[], url: URL, body: never) => {
    const [id, what] = rest;
    if (id === undefined && method === 'GET') {
      const name = url.searchParams.get('name');
      return good(
        response,
        tunnels.filter(
          (tunnel) => (name === null || tunnel.name === name) && url.searchParams.get('page') !== '2',
        ),
      );
    }
    if (id === undefined) {
      const { name, config_src } = body as { name: string; config_src: string };
      if (tunnels.some((tunnel) => tunnel.name === name)) {
        return bad(response, 409, 1013, 'You already have a tunnel with this name.');
      }
      const made: FakeTunnel = { id: randomUUID(), name, config_src, ingress: [] };
      tunnels.push(made);
      return good(response, made);
    }
    const tunnel = tunnels.find((known) => known.id === id);
    if (tunnel === undefined) return bad(response, 404, 1003, 'Tunnel not found');
    if (what === 'token') return good(response, tokenOf(id));
    if (what !== 'configurations') return bad(response, 404, 7003, 'Could not route');
    if (method === 'PUT') tunnel.ingress = (body as { config: { ingress: Rule[] } }).config.ingress;
    const config = tunnel.ingress.length === 0 ? null : { ingress: tunnel.ingress };
    return good(response, { account_id: accountId, tunnel_id: id, version: 1, config });
  };
  const serveRecords = (response: ServerResponse, method: string, rest: string[], url: URL, body: never) => {
    const [zoneId, , recordId] = rest;
    const known = records.get(zoneId!);
    if (known === undefined) return bad(response, 404, 7003, 'Could not route');
    if (method === 'GET') {
      const name = url.searchParams.get('name.exact');
      return good(
        response,
        known.filter((record) => record.name === name && url.searchParams.get('page') !== '2'),
      );
    }
    const values = body as FakeRecord;
    if (method === 'POST') {
      const taken = known.some(({ name, type }) => name === values.name && /^(A|AAAA|CNAME)$/.test(type));
      if (taken)
        return bad(response, 400, 81053, 'An A, AAAA, or CNAME record with that host already exists.');
      const made = { ...values, id: randomUUID() };
      known.push(made);
      return good(response, made);
    }
    const record = known.find(({ id }) => id === recordId);
    if (record === undefined) return bad(response, 404, 81044, 'Record does not exist.');
    Object.assign(record, values);
    return good(response, record);
  };
  const serve = (request: IncomingMessage, response: ServerResponse, body: never) => {
    const url = new URL(request.url!, 'http://api');
    const method = request.method!;
    const [first, ...rest] = url.pathname.split('/').filter(Boolean);
    if (first === 'edge') {
      const tunnel = tunnels.find(({ id }) => id === rest[1]);
      const rule = tunnel?.ingress.find(({ hostname }) => hostname);
      return rule === undefined ? bad(response, 404, 0, 'no such tunnel') : answer(response, 200, rule);
    }
    calls.push(`${method} ${url.pathname}`);
    const fault = faults.find(
      (known) => known.times > 0 && known.path.test(url.pathname) && (known.method ?? method) === method,
    );
    if (fault !== undefined) {
      fault.times--;
      return bad(response, fault.status, fault.code, fault.message);
    }
    if (request.headers.authorization !== `Bearer ${token}` || !isTokenActive) {
      return bad(response, 403, 10000, 'Authentication error');
    }
    if (url.pathname === '/user/tokens/verify') return good(response, { id: 'a', status: 'active' });
    if (first === 'accounts' && rest[0] !== accountId) return bad(response, 404, 7003, 'Could not route');
    if (first === 'accounts' && rest[1] === 'tokens') return bad(response, 401, 1000, 'Invalid API Token');
    if (first === 'accounts') return serveTunnels(response, method, rest.slice(2), url, body);
    if (first === 'zones' && rest.length === 0) {
      const name = url.searchParams.get('name');
      return good(
        response,
        zones.filter((zone) => zone.name === name && url.searchParams.get('page') !== '2'),
      );
    }
    return serveRecords(response, method, rest, url, body);
  };

  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    request.on('end', () => serve(request, response, (text === '' ? {} : JSON.parse(text)) as never));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  return {
    root: `http://127.0.0.1:${port}`,
    tunnels,
    calls,
    tokenOf,
    recordsOf: (zone: string): FakeRecord[] => records.get(zones.find(({ name }) => name === zone)!.id)!,
    fail: (fault: Fault): void => void faults.push(fault),
    mend: (): void => void faults.splice(0),
    withdrawToken: (): void => {
      isTokenActive = false;
    },
    stop: async (): Promise<void> => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
};
