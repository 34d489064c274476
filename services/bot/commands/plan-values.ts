import type { HostFacts } from '../../../queues/host-facts.ts';
import type { PlanTerms } from '../../../shared/plan/plan.ts';
import { GIB } from '../../../shared/vm/limits.ts';
import type { FmtString } from '../format/rich-text.ts';
import { fmt } from '../format/rich-text.ts';
import { readSize } from '../size.ts';
import {
  badCpus,
  badMaxVms,
  badPlanName,
  badSize,
  badSwitch,
  cpusTooFew,
  cpusTooMany,
  diskOfHost,
  diskTooSmall,
  memoryTooLarge,
  memoryTooSmall,
  sizeTooLarge,
  unchecked,
} from '../texts/settings.ts';
import { UsageError } from './command.ts';

/**
 * Values for plans and settings, checked against what the host has: one with which no VM could start is refused. Each
 * gives the value and, where there is something to add, a remark; throws UsageError.
 */

type Facts = HostFacts | null;
type Checked<T> = { value: T; remark: FmtString };

const nothing = fmt``;

/** sshd, a login and a small program find room in this. */
export const leastMemory = 128 * 1024 ** 2;
const leastCpus = 0.1;
const leastDisk = GIB;
export const mostVms = 100;

const sizeOf = (text: string): number => {
  const size = readSize(text);
  if (size === null) throw new UsageError(badSize(text));
  if (!Number.isSafeInteger(Math.round(size))) throw new UsageError(sizeTooLarge);
  return Math.round(size);
};

export const readMemory = (text: string, facts: Facts): Checked<number> => {
  const value = sizeOf(text);
  if (value < leastMemory) throw new UsageError(memoryTooSmall(leastMemory));
  if (facts === null) return { value, remark: unchecked };
  if (value > facts.memoryBytes) throw new UsageError(memoryTooLarge(text, facts.memoryBytes));
  return { value, remark: nothing };
};

export const readCpus = (text: string, facts: Facts): Checked<number> => {
  const value = /^\d{1,4}(\.\d{1,3})?$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(value)) throw new UsageError(badCpus(text));
  if (value < leastCpus) throw new UsageError(cpusTooFew(leastCpus));
  if (facts === null) return { value, remark: unchecked };
  if (value > facts.cpus) throw new UsageError(cpusTooMany(text, facts.cpus));
  return { value, remark: nothing };
};

/** A disk limit larger than the disk keeps no VM from starting; it is only worth a remark. */
export const readDisk = (text: string, facts: Facts): Checked<number> => {
  const value = sizeOf(text);
  if (value < leastDisk) throw new UsageError(diskTooSmall(leastDisk));
  const total = facts?.disk?.totalBytes ?? Number.POSITIVE_INFINITY;
  return { value, remark: value > total ? diskOfHost(total) : nothing };
};

const readMaxVms = (text: string): Checked<number> => {
  const value = /^\d{1,3}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value <= mostVms)) throw new UsageError(badMaxVms(text, mostVms));
  return { value, remark: nothing };
};

const readSwitch = (text: string): boolean => {
  const word = text.toLowerCase();
  if (word !== 'on' && word !== 'off') throw new UsageError(badSwitch);
  return word === 'on';
};

/** One word, so that it can stand in a command; not a number, which would be taken for a plan's id. */
const readName = (text: string): Checked<string> => {
  if (!/^(?=.*\p{L})[\p{L}\p{N}-]{1,20}$/u.test(text)) throw new UsageError(badPlanName);
  return { value: text, remark: nothing };
};

/** A plan's fields as people call them. */
export const planFields: Record<
  string,
  (text: string, facts: Facts) => { changes: Partial<PlanTerms>; remark: FmtString }
> = {
  name: (text) => {
    const { value, remark } = readName(text);
    return { changes: { name: value }, remark };
  },
  ram: (text, facts) => {
    const { value, remark } = readMemory(text, facts);
    return { changes: { memoryBytes: value }, remark };
  },
  cpu: (text, facts) => {
    const { value, remark } = readCpus(text, facts);
    return { changes: { cpus: value }, remark };
  },
  disk: (text, facts) => {
    const { value, remark } = readDisk(text, facts);
    return { changes: { diskBytes: value }, remark };
  },
  max_vms: (text) => {
    const { value, remark } = readMaxVms(text);
    return { changes: { maxVms: value }, remark };
  },
  sudo: (text) => ({ changes: { sudo: readSwitch(text) }, remark: nothing }),
};
