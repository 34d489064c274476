import { cleanUpTime, diskShares } from '../../../shared/vm/disk.ts';
import { formatBytes, formatDuration } from '../format/numbers.ts';
import { bold, code, type FmtString, fmt } from '../format/rich-text.ts';
import { timeInWords } from './history.ts';

/** A disk that fills up: how much, what follows, and what to do. Bytes. */

type Disk = { usedBytes: number; limitBytes: number };

/** How measuring the VMs of a host went. `unknown`: of these nothing could be said; `slow`: too many files for seconds. */
export type DiskLook = { at: string; measured: number; unknown: number; slow: number };

export const diskLookInWords = ({ at, measured, unknown, slow }: DiskLook): FmtString =>
  fmt`${unknown > 0 ? '🔴' : '💽'} Disk use, ${timeInWords(at)}: ${measured === 1 ? '1 VM' : `${measured} VMs`} measured${
    unknown > 0 ? `, ${unknown} not to be measured (the workers' logs say why)` : ''
  }${slow > 0 ? `, ${slow} with so many files that it takes minutes` : ''}`;

export const diskInWords = (disk: Disk | null | undefined): string =>
  disk == null
    ? 'too much disk'
    : `${formatBytes(disk.usedBytes)} of its ${formatBytes(disk.limitBytes)} of disk`;

const stopsAt = (limitBytes: number): string => formatBytes(limitBytes * diskShares.stopped);
const grace = formatDuration(cleanUpTime);
const whatIsLarge = 'du -xh -d 2 ~ | sort -h | tail';

export const vmDiskLow = (name: string, usedBytes: number, limitBytes: number): FmtString =>
  fmt`⚠️ ${bold(name)} uses ${diskInWords({ usedBytes, limitBytes })}. At ${stopsAt(limitBytes)} it is stopped${
    usedBytes < limitBytes * diskShares.stopped ? '' : `, once ${grace} have passed since its start`
  }. Delete what you do not need (${code(whatIsLarge)} shows what is large), or ask an administrator for a plan with more disk.`;

export const stoppedForDisk = (name: string, disk: Disk | null | undefined): FmtString =>
  fmt`🛑 ${bold(name)} was stopped, because it used ${diskInWords(disk)}. Its files, port and host key stay as they are. /start_vm starts it; then you have ${grace} to delete what you do not need, before it is stopped again. ${code(whatIsLarge)} shows what is large.`;
