import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { nanoid } from 'nanoid';
import type { Registry } from 'prom-client';
import { z } from 'zod';
import { withDeadline } from '../shared/lifecycle.ts';
import type { Log } from '../shared/log.ts';
import { isLately, redisNow } from './lately.ts';

/**
 * Bot and workers serve no HTTP: each writes its figures into a hash of Redis every few seconds, and the gateway shows
 * them all. Who has been silent for too long counts as gone, with all its figures.
 */

const sample = z.object({
  value: z.number(),
  labels: z.record(z.string().regex(/^[a-zA-Z_]\w*$/), z.union([z.string(), z.number()])),
  /** Of a histogram: `name_bucket`, `name_sum` or `name_count`. */
  metricName: z
    .string()
    .regex(/^[a-zA-Z_]\w*$/)
    .optional(),
});
export const metric = z.object({
  name: z.string().regex(/^[a-zA-Z_]\w*$/),
  help: z.string(),
  type: z.enum(['counter', 'gauge', 'histogram', 'summary']),
  values: z.array(sample),
});
export type Metric = z.infer<typeof metric>;

export const processFigures = z.object({
  /** Made anew at every start, so that a counter that begins anew is another series. */
  run: z.string().regex(/^[\w-]{1,40}$/),
  process: z.enum(['bot', 'worker', 'gateway']),
  /** Of a worker. */
  host: z.string().nullable(),
  /** When they were taken, ISO. */
  at: z.iso.datetime(),
  metrics: z.array(metric),
});
export type ProcessFigures = z.infer<typeof processFigures>;
export type ProcessName = Pick<ProcessFigures, 'run' | 'process' | 'host'>;

/** Milliseconds between two writings, and after how many a process counts as gone. */
export const writtenEvery = 10_000;
const silence = 35_000;
const leaveDeadline = 1_000;

const metricsKey = (instance: string): string => `${instance}:metrics`;

/** A name for one start of a process. */
export const newRun = (): string => nanoid(8);

export const takeFigures = async (registry: Registry, name: ProcessName): Promise<ProcessFigures> => {
  const metrics = (await registry.getMetricsAsJSON()) as unknown as { type: unknown }[];
  return processFigures.parse({ ...name, at: new Date().toISOString(), metrics });
};

export const writeFigures = async (
  redis: Redis,
  instance: string,
  figures: ProcessFigures,
): Promise<void> => {
  await redis.hset(metricsKey(instance), figures.run, JSON.stringify(figures));
};

const readEntry = (text: string): ProcessFigures | undefined => {
  try {
    return processFigures.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined; // written by another version, or by nobody of ours
  }
};

/** The figures of all processes that wrote lately; the others are struck off. */
export const readFigures = async (redis: Redis, instance: string, now: number): Promise<ProcessFigures[]> => {
  const present: ProcessFigures[] = [];
  const gone: string[] = [];
  for (const [run, text] of Object.entries(await redis.hgetall(metricsKey(instance)))) {
    const entry = readEntry(text);
    if (entry !== undefined && isLately(entry.at, now, silence)) present.push(entry);
    else gone.push(run);
  }
  if (gone.length > 0) await redis.hdel(metricsKey(instance), ...gone);
  return present;
};

export type FiguresWriterOptions = {
  /** Fails at once while Redis is away: figures that were kept for later would be old ones. */
  redis: Redis;
  instance: string;
  process: ProcessFigures['process'];
  host?: string;
  registry: Registry;
  log: Log;
  /** Milliseconds between two writings. */
  every?: number;
};

/** Writes this process' figures from now on. */
export const startFiguresWriter = ({
  redis,
  instance,
  process,
  host,
  registry,
  log,
  every = writtenEvery,
}: FiguresWriterOptions) => {
  const name: ProcessName = { run: newRun(), process, host: host ?? null };
  const closing = new AbortController();
  const { signal } = closing;
  let failing = false;
  const isReady = () => redis.status === 'ready';
  const write = async (): Promise<void> => {
    try {
      const at = new Date(await redisNow(redis)).toISOString();
      await writeFigures(redis, instance, { ...(await takeFigures(registry, name)), at });
      failing = false;
    } catch (err) {
      // One line per outage, not one per try.
      if (!failing) log.warn({ err }, 'the figures could not be written');
      failing = true;
    }
  };
  const run = async (): Promise<void> => {
    while (!signal.aborted) {
      // While Redis is away, which the connection itself has logged, there is nowhere to write to.
      if (isReady()) await write();
      await sleep(isReady() ? every : Math.min(every, 500), undefined, { signal }).catch(() => 'woken');
    }
  };
  const running = run();
  return {
    run: name.run,
    async close(): Promise<void> {
      closing.abort(new Error('shutting down'));
      await running;
      const left = redis.hdel(metricsKey(instance), name.run);
      await withDeadline(left, leaveDeadline, 'taking the figures away').catch((err: unknown) =>
        log.debug({ err }, 'whoever reads the figures will notice by themselves'),
      );
    },
  };
};
