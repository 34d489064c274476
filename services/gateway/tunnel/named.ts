import Cloudflare, { NotFoundError } from 'cloudflare';
import { type ApiStep, isDuplicate, problemOf } from './api-errors.ts';
import { TunnelProblem } from './problems.ts';

/**
 * A tunnel under a host name of one's own, set up through Cloudflare's API: the tunnel, what it leads to, its token, and
 * the DNS record. Every step looks first, so that it can be repeated, and by two gateways at once.
 */

export type NamedSettings = {
  token: string;
  accountId: string;
  hostname: string;
  /** Only tests have another than Cloudflare's. */
  apiRoot: string | undefined;
  instance: string;
  /** What the tunnel leads to, `http://127.0.0.1:8080`. */
  target: string;
};

type Api = { client: Cloudflare; settings: NamedSettings; signal: AbortSignal };

const recordTypes = ['A', 'AAAA', 'CNAME', 'NS', 'HTTPS'];

const tunnelName = ({ instance, hostname }: NamedSettings): string => `${instance}-${hostname}`;
/** By it a record is known as ours, also when it leads to a tunnel that is gone. */
const recordComment = ({ instance }: NamedSettings): string => `berth: ${instance}`;

/** Gives the tunnel's token. Rejects with a TunnelProblem that says what to change. */
export const setUpNamedTunnel = async (settings: NamedSettings, signal: AbortSignal): Promise<string> => {
  const client = new Cloudflare({
    apiToken: settings.token,
    // Left out, they would be taken from this process's environment.
    apiKey: null,
    apiEmail: null,
    userServiceKey: null,
    baseURL: settings.apiRoot ?? 'https://api.cloudflare.com/client/v4',
    // Three tries of one call end before the opening does, so that people read the reason and not “too slow”.
    timeout: 6_000,
    maxRetries: 2,
    logLevel: 'off',
  });
  const api = { client, settings, signal };
  const isTokenGood = () => verifyToken(api);
  const during = async <T>(step: ApiStep, work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      if (error instanceof TunnelProblem) throw error;
      if (signal.aborted) throw new TunnelProblem('slow');
      throw await problemOf(error, step, isTokenGood);
    }
  };
  const tunnelId = await during('tunnel', findOrCreateTunnel(api));
  await during('tunnel', putIngress(api, tunnelId));
  const token = await during(
    'tunnel',
    client.zeroTrust.tunnels.cloudflared.token.get(tunnelId, account(api), { signal }),
  );
  const zoneId = await during('zone', findZone(api));
  await during('dns', pointRecord(api, zoneId, `${tunnelId}.cfargotunnel.com`));
  return token;
};

const account = ({ settings }: Api) => ({ account_id: settings.accountId });

/** Tokens of people and of accounts are verified in different places. */
const verifyToken = async ({ client, settings, signal }: Api): Promise<boolean> => {
  const options = { signal, maxRetries: 1 };
  const answers = await Promise.allSettled([
    client.user.tokens.verify(options),
    client.accounts.tokens.verify({ account_id: settings.accountId }, options),
  ]);
  return answers.some((answer) => answer.status === 'fulfilled' && answer.value.status === 'active');
};

const findTunnel = async (api: Api): Promise<string | null> => {
  const { client, settings, signal } = api;
  const name = tunnelName(settings);
  const found = client.zeroTrust.tunnels.cloudflared.list(
    { ...account(api), name, is_deleted: false },
    { signal },
  );
  for await (const tunnel of found) if (tunnel.name === name && tunnel.id !== undefined) return tunnel.id;
  return null;
};

const findOrCreateTunnel = async (api: Api): Promise<string> => {
  const { client, settings, signal } = api;
  const known = await findTunnel(api);
  if (known !== null) return known;
  try {
    const made = await client.zeroTrust.tunnels.cloudflared.create(
      { ...account(api), name: tunnelName(settings), config_src: 'cloudflare' },
      { signal },
    );
    if (made.id !== undefined) return made.id;
  } catch (error) {
    if (!isDuplicate(error)) throw error;
  }
  // Another gateway was quicker, or an earlier answer got lost.
  const other = await findTunnel(api);
  if (other === null) throw new TunnelProblem('service-fault', 'Cloudflare’s API gave no tunnel.');
  return other;
};

const putIngress = async (api: Api, tunnelId: string): Promise<void> => {
  const { client, settings, signal } = api;
  const { configurations } = client.zeroTrust.tunnels.cloudflared;
  const wanted = [
    { hostname: settings.hostname, service: settings.target },
    // The last rule has no host name, though the library's type demands one.
    { service: 'http_status:404' } as { hostname: string; service: string },
  ];
  const now = await configurations.get(tunnelId, account(api), { signal }).catch((error: unknown) => {
    if (error instanceof NotFoundError) return null; // a new tunnel has none yet
    throw error;
  });
  const said = (rules: { hostname?: string; service: string }[] = []) =>
    rules.map(({ hostname, service }) => `${hostname ?? ''} ${service}`).join();
  if (said(now?.config?.ingress) === said(wanted)) return;
  await configurations.update(tunnelId, { ...account(api), config: { ingress: wanted } }, { signal });
};

/** The zone of `a.b.example.org` may be any of its parents. */
const findZone = async (api: Api): Promise<string> => {
  const { client, settings, signal } = api;
  const labels = settings.hostname.split('.');
  for (let start = 0; start < labels.length - 1; start++) {
    const name = labels.slice(start).join('.');
    const zones = client.zones.list({ name, account: { id: settings.accountId } }, { signal });
    for await (const zone of zones) if (zone.name === name) return zone.id;
  }
  throw new TunnelProblem(
    'settings',
    `No zone of this Cloudflare account holds ${settings.hostname}, or CLOUDFLARE_TOKEN may not read it (“Zone · Zone · Read”).`,
  );
};

const pointRecord = async (api: Api, zoneId: string, target: string, isSecondTry = false): Promise<void> => {
  const { client, settings, signal } = api;
  const name = settings.hostname;
  const wanted = {
    zone_id: zoneId,
    name,
    type: 'CNAME' as const,
    content: target,
    proxied: true,
    ttl: 1 as const, // automatic
    comment: recordComment(settings),
  };
  const records = [];
  for await (const record of client.dns.records.list(
    { zone_id: zoneId, name: { exact: name } },
    { signal },
  )) {
    if (recordTypes.includes(record.type)) records.push(record);
  }
  const [record, ...more] = records;
  if (record === undefined) {
    try {
      await client.dns.records.create(wanted, { signal });
      return;
    } catch (error) {
      if (!isDuplicate(error) || isSecondTry) throw error;
      return await pointRecord(api, zoneId, target, true);
    }
  }
  const isOurs =
    record.type === 'CNAME' && (record.content === target || record.comment === recordComment(settings));
  if (!isOurs || more.length > 0) {
    throw new TunnelProblem(
      'settings',
      `${name} has a DNS record of somebody else (${record.type}), which is left alone. Remove it, or choose another CLOUDFLARE_HOSTNAME.`,
    );
  }
  if (record.content === target && record.proxied === true) return;
  await client.dns.records.edit(record.id, wanted, { signal });
};
