import type { Redis } from 'ioredis';
import { z } from 'zod';
import { hostFacts } from './host-facts.ts';
import { isLately } from './lately.ts';

/**
 * Which workers are there: each writes itself into a hash of Redis every few seconds, with what it knows of its host,
 * and who has been silent for too long counts as gone.
 */

export const rollCallEntry = z.object({
  workerId: z.string(),
  host: z.string(),
  pid: z.number().int(),
  startedAt: z.string(),
  /** When it last wrote itself down, ISO. */
  at: z.string(),
  /** Null while Docker does not answer. */
  facts: hostFacts.nullable(),
  /** Where it serves terminals, for the gateway: `ws://host:port`. Null where it does not, absent in older entries. */
  terminals: z.url({ protocol: /^wss?$/ }).nullish(),
});
export type RollCallEntry = z.infer<typeof rollCallEntry>;

/** Milliseconds between two answers, and after how many a worker counts as gone. */
export const answerEvery = 10_000;
const silence = 35_000;

const rollCallKey = (instance: string): string => `${instance}:workers`;

export const answerRollCall = async (redis: Redis, instance: string, entry: RollCallEntry): Promise<void> => {
  await redis.hset(rollCallKey(instance), entry.workerId, JSON.stringify(rollCallEntry.parse(entry)));
};

/** A worker that shuts down in order says so. */
export const leaveRollCall = async (redis: Redis, instance: string, workerId: string): Promise<void> => {
  await redis.hdel(rollCallKey(instance), workerId);
};

const readEntry = (text: string): RollCallEntry | undefined => {
  try {
    return rollCallEntry.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined; // written by another version, or by nobody of ours
  }
};

/** The workers that answered lately, by host and age; those that fell silent are struck off. */
export const readRollCall = async (redis: Redis, instance: string, now: number): Promise<RollCallEntry[]> => {
  const all = Object.entries(await redis.hgetall(rollCallKey(instance)));
  const present: RollCallEntry[] = [];
  const gone: string[] = [];
  for (const [workerId, text] of all) {
    const entry = readEntry(text);
    if (entry !== undefined && isLately(entry.at, now, silence)) present.push(entry);
    else gone.push(workerId);
  }
  if (gone.length > 0) await redis.hdel(rollCallKey(instance), ...gone);
  return present.sort((a, b) => a.host.localeCompare(b.host) || a.startedAt.localeCompare(b.startedAt));
};
