import { createHash, randomBytes } from 'node:crypto';
import type { Redis } from 'ioredis';
import { z } from 'zod';
import { isLately } from './lately.ts';

/**
 * Glossary.
 * ticket — 256 random bits in a link, good for one use within five minutes. Redis knows only its hash.
 * grant — what a ticket or a session is good for.
 * session — what a spent ticket becomes: a cookie's worth of grant, for some hours.
 * revocation — everything granted before it for that VM or person is void, with the reason.
 *
 * All of it is short-lived and may be lost with Redis: people then ask for a new link.
 */

const granted = { userId: z.number().int(), grantedAt: z.iso.datetime() };
export const grant = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('terminal'),
    ...granted,
    vmId: z.string(),
    vmName: z.string(),
    host: z.string(),
  }),
  z.object({ kind: z.literal('dashboard'), ...granted }),
]);
export type Grant = z.infer<typeof grant>;
export type TerminalGrant = Extract<Grant, { kind: 'terminal' }>;

/** Seconds. */
export const ticketLifetime = 5 * 60;
export const sessionLifetime: Record<Grant['kind'], number> = { terminal: 4 * 3_600, dashboard: 3_600 };
/** How long a spent ticket is known to have been spent. */
const spentRemembered = 24 * 3_600;

export const newSecret = (): string => randomBytes(32).toString('base64url');
export const isSecret = (text: string): boolean => /^[A-Za-z0-9_-]{43}$/.test(text);
const hashOf = (secret: string): string => createHash('sha256').update(secret).digest('base64url');

const ticketKey = (instance: string, ticket: string) => `${instance}:ticket:${hashOf(ticket)}`;
const spentKey = (instance: string, ticket: string) => `${instance}:spent:${hashOf(ticket)}`;
const sessionKey = (instance: string, token: string) => `${instance}:session:${hashOf(token)}`;

const parse = (text: string | null): Grant | null => {
  if (text === null) return null;
  try {
    return grant.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null; // nobody of ours wrote that
  }
};

/** Grants and revocations are put in order by this, whatever the clocks say. */
const orderKey = (instance: string): string => `${instance}:grant-order`;

/** Never before what was given last: milliseconds since 1970 by the wall's clock, but for one that was set back. */
const orderScript = `
local last = tonumber(redis.call('GET', KEYS[1]) or '0')
local now = math.max(tonumber(ARGV[1]), last + 1)
redis.call('SET', KEYS[1], string.format('%.0f', now))
return string.format('%.0f', now)`;

const inOrder = async (redis: Redis, instance: string, at: string): Promise<string> => {
  const given = await redis.eval(orderScript, 1, orderKey(instance), Date.parse(at));
  return new Date(Number(given)).toISOString();
};

export const issueTicket = async (
  redis: Redis,
  instance: string,
  ticket: string,
  to: Grant,
): Promise<void> => {
  const granted = grant.parse({ ...to, grantedAt: await inOrder(redis, instance, to.grantedAt) });
  await redis.set(ticketKey(instance, ticket), JSON.stringify(granted), 'EX', ticketLifetime);
};

/** Whether a ticket is still good, without spending it: link previews and curious people open pages. */
export const lookAtTicket = async (
  redis: Redis,
  instance: string,
  ticket: string,
): Promise<{ state: 'good'; grant: Grant } | { state: 'spent' | 'unknown' }> => {
  const good = parse(await redis.get(ticketKey(instance, ticket)));
  if (good !== null) return { state: 'good', grant: good };
  return { state: (await redis.exists(spentKey(instance, ticket))) === 1 ? 'spent' : 'unknown' };
};

/** Turns a ticket into a session, once, however many press at the same time; null where it is good no more. */
export const spendTicket = async (
  redis: Redis,
  instance: string,
  ticket: string,
): Promise<{ token: string; grant: Grant } | null> => {
  const good = parse(await redis.getdel(ticketKey(instance, ticket)));
  if (good === null) return null;
  await redis.set(spentKey(instance, ticket), '1', 'EX', spentRemembered);
  const token = newSecret();
  await redis.set(sessionKey(instance, token), JSON.stringify(good), 'EX', sessionLifetime[good.kind]);
  return { token, grant: good };
};

/** The session's grant and the milliseconds it has left; null where there is none. */
export const findSession = async (
  redis: Redis,
  instance: string,
  token: string,
): Promise<{ grant: Grant; leftMs: number } | null> => {
  const key = sessionKey(instance, token);
  const [text, leftMs] = await Promise.all([redis.get(key), redis.pttl(key)]);
  const found = parse(text);
  return found === null ? null : { grant: found, leftMs: Math.max(0, leftMs) };
};

export const endSession = async (redis: Redis, instance: string, token: string): Promise<void> => {
  await redis.del(sessionKey(instance, token));
};

/** A short public name of a session, for tmux and for people: not its token, and not a way to it. */
export const sessionName = (token: string): string =>
  createHash('sha256').update(`name:${token}`).digest('hex').slice(0, 16);

// --- revocation ---

export const revocation = z.object({
  /** One of the two. */
  vmId: z.string().nullable(),
  userId: z.number().int().nullable(),
  reason: z.enum(['closed-by-owner', 'vm-stopped', 'vm-destroyed', 'user-removed', 'maintenance']),
  at: z.iso.datetime(),
});
export type Revocation = z.infer<typeof revocation>;

export const revocationChannel = (instance: string): string => `${instance}:revocations`;
const revocationKey = (instance: string, { vmId, userId }: Pick<Revocation, 'vmId' | 'userId'>): string =>
  `${instance}:revoked:${vmId === null ? `user:${userId}` : `vm:${vmId}`}`;

/** Everything granted before is void: said at once to all gateways, and kept for as long as a session can live. */
export const revoke = async (redis: Redis, instance: string, what: Revocation): Promise<void> => {
  const text = JSON.stringify(revocation.parse({ ...what, at: await inOrder(redis, instance, what.at) }));
  await redis.set(revocationKey(instance, what), text, 'EX', sessionLifetime.terminal + ticketLifetime);
  await redis.publish(revocationChannel(instance), text);
};

/** The revocation that makes this grant void; null where it stands. */
export const findRevocation = async (
  redis: Redis,
  instance: string,
  to: Grant,
): Promise<Revocation | null> => {
  const keys = [
    revocationKey(instance, { vmId: null, userId: to.userId }),
    ...(to.kind === 'terminal' ? [revocationKey(instance, { vmId: to.vmId, userId: null })] : []),
  ];
  for (const text of await redis.mget(keys)) {
    if (text === null) continue;
    const found = revocation.safeParse(JSON.parse(text)).data;
    if (found !== undefined && found.at >= to.grantedAt) return found;
  }
  return null;
};

// --- open terminals, for /status ---

export const openTerminalEntry = z.object({
  vmId: z.string(),
  userId: z.number().int(),
  since: z.iso.datetime(),
  /** When the gateway last said that it is open. */
  at: z.iso.datetime(),
});
export type OpenTerminalEntry = z.infer<typeof openTerminalEntry>;

/** Milliseconds: a gateway says so every ten seconds. */
export const terminalSilence = 35_000;
const terminalsKey = (instance: string): string => `${instance}:terminals`;

export const noteTerminal = async (
  redis: Redis,
  instance: string,
  id: string,
  entry: OpenTerminalEntry,
): Promise<void> => {
  await redis.hset(terminalsKey(instance), id, JSON.stringify(entry));
};

export const forgetTerminal = async (redis: Redis, instance: string, id: string): Promise<void> => {
  await redis.hdel(terminalsKey(instance), id);
};

export const readTerminals = async (
  redis: Redis,
  instance: string,
  now: number,
): Promise<OpenTerminalEntry[]> => {
  const open: OpenTerminalEntry[] = [];
  const gone: string[] = [];
  for (const [id, text] of Object.entries(await redis.hgetall(terminalsKey(instance)))) {
    const entry = openTerminalEntry.safeParse(JSON.parse(text)).data;
    if (entry !== undefined && isLately(entry.at, now, terminalSilence)) open.push(entry);
    else gone.push(id);
  }
  if (gone.length > 0) await redis.hdel(terminalsKey(instance), ...gone);
  return open;
};
