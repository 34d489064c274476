import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { z } from 'zod';

/**
 * Environment variables are declared once per process, as a zod schema; everything else receives the
 * typed result. An empty variable counts as not set, so that `.env` may list names without values.
 */

export class EnvError extends Error {
  override name = 'EnvError';
}

type Source = Record<string, string | undefined>;

/** `NAME_FILE=/run/secrets/name` gives NAME the file's content, without the newline at its end. */
const readVariable = (name: string, source: Source, faults: string[]): string | undefined => {
  const value = source[name];
  if (value !== undefined && value !== '') return value;
  const path = source[`${name}_FILE`];
  if (!path) return undefined;
  try {
    return readFileSync(path, 'utf8').replace(/\r?\n$/, '') || undefined;
  } catch (error) {
    faults.push(`${name}_FILE: cannot read ${path} (${(error as NodeJS.ErrnoException).code})`);
    return undefined;
  }
};

/** Reads and checks a process's variables. Throws one EnvError that lists every fault, a line each. */
export const parseEnv = <Shape extends z.ZodRawShape>(
  schema: z.ZodObject<Shape>,
  source: Source,
): z.output<z.ZodObject<Shape>> => {
  const faults: string[] = [];
  const found = Object.fromEntries(
    Object.keys(schema.shape).map((name) => [name, readVariable(name, source, faults)]),
  );
  const result = schema.safeParse(found);
  for (const issue of result.error?.issues ?? []) {
    const name = issue.path.join('.');
    const plainlyMissing = found[name] === undefined && issue.message.startsWith('Invalid input');
    faults.push(`${name}: ${plainlyMissing ? 'is missing' : issue.message}`);
  }
  if (!result.success || faults.length > 0) {
    throw new EnvError(`Wrong configuration:\n${faults.map((fault) => `  ${fault}`).join('\n')}`);
  }
  return result.data;
};

const integer = (what: string, min: number, max: number) =>
  z
    .string()
    .regex(/^\d+$/, `must be a whole number (${what})`)
    .transform(Number)
    .pipe(z.number().min(min, `must be at least ${min}`).max(max, `must be at most ${max}`));

export const port = integer('a port', 1, 65_535);
/** 0: any free one. */
export const portOrAny = integer('a port, or 0 for any', 0, 65_535);
export const count = (max: number) => integer('a number', 1, max);

/** Part of container names, labels and Redis keys. */
export const instance = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,30}$/, 'must be 1–31 lower-case letters, digits and hyphens, a letter first')
  .default('berth');

export const hostId = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,30}$/, 'must be 1–31 lower-case letters, digits and hyphens')
  .default('local');

export const redisUrl = z.string().regex(/^rediss?:\/\/.+/, 'must look like redis://host:6379');

/** What bot, workers and gateway know each other by, and seal with what passes between them. */
export const linkSecret = z
  .string({
    error:
      'is missing: give bot, workers and gateway the same LINK_SECRET_FILE (the bot makes the file where there is none), or the same LINK_SECRET',
  })
  .min(32, 'must have at least 32 characters');

/** A file that a living process touches every few seconds, for health checks of containers. */
export const heartbeatFile = z.string().optional();

/** The kernel's own folders keep no files, and Node's `mkdir` never comes back from some of them. */
export const dataDir = z
  .string()
  .refine((path) => !/^\/(proc|sys)(\/|$)/.test(resolve(path)), 'must be a folder on a disk')
  .default('./data');

export const logLevel = z
  .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], {
    error: 'must be trace, debug, info, warn, error, fatal or silent',
  })
  .default('info');
