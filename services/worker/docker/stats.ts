import { setTimeout as sleep } from 'node:timers/promises';
import type { ContainerStats } from 'dockerode';
import type { CallOptions, Engine } from './engine.ts';

/** Live figures of a container from two samples; Docker's own way to compare takes it more than a second. */

const gap = 250;

const sample = (engine: Engine, id: string, options: CallOptions): Promise<ContainerStats> =>
  engine.call(
    'reading statistics',
    (docker) => docker.getContainer(id).stats({ stream: false, 'one-shot': true }),
    options,
  );

/** Cores in use between two samples, 1.5 for one and a half; null when the samples say nothing. */
const coresBetween = (first: ContainerStats, second: ContainerStats): number | null => {
  const nanoseconds = (Date.parse(second.read) - Date.parse(first.read)) * 1e6;
  const used = second.cpu_stats.cpu_usage.total_usage - first.cpu_stats.cpu_usage.total_usage;
  return nanoseconds > 0 && used >= 0 ? Math.round((used / nanoseconds) * 1000) / 1000 : null;
};

/** Without the file cache that the kernel gives back when somebody needs it. */
const memoryOf = ({ memory_stats: memory }: ContainerStats): number | null => {
  if (memory.usage === undefined) return null;
  const details = memory.stats as { inactive_file?: number; total_inactive_file?: number } | undefined;
  return Math.max(0, memory.usage - (details?.total_inactive_file ?? details?.inactive_file ?? 0));
};

/** Takes a quarter of a second. Memory in bytes. */
export const measureContainer = async (
  engine: Engine,
  id: string,
  options: CallOptions,
): Promise<{ cpus: number | null; memoryBytes: number | null }> => {
  const first = await sample(engine, id, options);
  await sleep(gap, undefined, options.signal ? { signal: options.signal } : {});
  const second = await sample(engine, id, options);
  return { cpus: coresBetween(first, second), memoryBytes: memoryOf(second) };
};
