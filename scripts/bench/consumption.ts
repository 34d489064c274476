import { readFile, writeFile } from 'node:fs/promises';
import { docker } from '../../tests/support/docker.ts';
import type { ServiceProcess } from '../../tests/support/service-process.ts';

/** What processes and VMs take: memory in MB, and processor time as cores that were busy on average. */

/** Resident now, or the most it was since it began or `forgetPeak`. */
export const memoryMb = async (
  { pid }: Pick<ServiceProcess, 'pid'>,
  field: 'VmRSS' | 'VmHWM',
): Promise<number> => {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(status)?.[1]) / 1_024;
};

/** Linux takes 5 for: the peak is counted anew. */
export const forgetPeak = ({ pid }: ServiceProcess): Promise<void> =>
  writeFile(`/proc/${pid}/clear_refs`, '5');

export type Usage = { vm: number; worker: number; gateway: number };

type Measured = { container: string; worker: ServiceProcess; gateway: ServiceProcess };

/** Seconds of processor time so far. Linux counts hundredths, whatever its clock. */
const secondsOf = async ({ pid }: ServiceProcess): Promise<number> => {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  // The name before may hold anything; user and system time are the 12th and 13th field behind it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
};

const secondsOfVm = async (container: string): Promise<number> => {
  const stats = await docker.getContainer(container).stats({ stream: false, 'one-shot': true });
  return stats.cpu_stats.cpu_usage.total_usage / 1e9;
};

const look = async ({ container, worker, gateway }: Measured): Promise<number[]> =>
  Promise.all([secondsOfVm(container), secondsOf(worker), secondsOf(gateway)]);

export const coresDuring = async <T>(measured: Measured, act: () => Promise<T>) => {
  const [before, begun] = [await look(measured), performance.now()];
  const value = await act();
  const seconds = (performance.now() - begun) / 1_000;
  const after = await look(measured);
  const [vm, worker, gateway] = after.map((total, index) => (total - before[index]!) / seconds);
  return { value, usage: { vm: vm!, worker: worker!, gateway: gateway! } satisfies Usage };
};
