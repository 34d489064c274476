import type { Redis } from 'ioredis';
import { z } from 'zod';
import { isLately } from './lately.ts';

/**
 * How people reach the gateway, as the gateway last said: it writes itself into a hash of Redis every ten seconds and at
 * every change, so that the chat and the figures can show it.
 */

export const tunnelStatus = z.object({
  /** The way the settings give. `fixed`: an address of the operator's own; `address`: the gateway's, no tunnel. */
  way: z.enum(['named', 'quick', 'fixed', 'address']),
  /** Where people reach the gateway now; its own address while no tunnel stands. */
  origin: z.string(),
  /** The version of cloudflared; null where it is not installed. */
  program: z.object({ version: z.string().nullable() }),
  /** A tunnel should stand now: somebody asked for one, or the settings do. */
  wanted: z.boolean(),
  connected: z.boolean(),
  /** Since when it is connected, or is not. */
  since: z.iso.datetime(),
  /** What went wrong last, a sentence for people. */
  lastProblem: z.object({ text: z.string(), at: z.iso.datetime() }).nullable(),
  /** How often the tunnel had to be opened anew. */
  restarts: z.number().int(),
});
export type TunnelStatus = z.infer<typeof tunnelStatus>;

export const gatewayEntry = z.object({
  gatewayId: z.string(),
  pid: z.number().int(),
  startedAt: z.iso.datetime(),
  /** When it last wrote itself down. */
  at: z.iso.datetime(),
  tunnel: tunnelStatus,
});
export type GatewayEntry = z.infer<typeof gatewayEntry>;

/** Milliseconds: how often a gateway writes itself down, and after how long a silence it counts as gone. */
export const gatewayWritesEvery = 10_000;
const silence = 35_000;

const gatewayKey = (instance: string): string => `${instance}:gateway`;

export const writeGatewayStatus = async (
  redis: Redis,
  instance: string,
  entry: GatewayEntry,
): Promise<void> => {
  await redis.hset(gatewayKey(instance), entry.gatewayId, JSON.stringify(gatewayEntry.parse(entry)));
};

/** A gateway that shuts down in order says so. */
export const leaveGatewayStatus = async (
  redis: Redis,
  instance: string,
  gatewayId: string,
): Promise<void> => {
  await redis.hdel(gatewayKey(instance), gatewayId);
};

const readEntry = (text: string): GatewayEntry | undefined => {
  try {
    return gatewayEntry.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined; // written by another version, or by nobody of ours
  }
};

/** The gateways that wrote themselves down lately, the oldest first; those that fell silent are struck off. */
export const readGatewayStatus = async (
  redis: Redis,
  instance: string,
  now: number,
): Promise<GatewayEntry[]> => {
  const present: GatewayEntry[] = [];
  const gone: string[] = [];
  for (const [id, text] of Object.entries(await redis.hgetall(gatewayKey(instance)))) {
    const entry = readEntry(text);
    if (entry !== undefined && isLately(entry.at, now, silence)) present.push(entry);
    else gone.push(id);
  }
  if (gone.length > 0) await redis.hdel(gatewayKey(instance), ...gone);
  return present.sort((a, b) => a.startedAt.localeCompare(b.startedAt));
};
