import { formatBytes, formatDuration } from '../format/numbers.ts';
import { blockquote, bold, code, type FmtString, fmt, hidden, join } from '../format/rich-text.ts';
import type { Trouble } from '../troubles.ts';
import { terminalsOpen } from './links.ts';
import { asLastKnown } from './outages.ts';

/** A VM as its owner sees it. Memory and disk in bytes. */

type VmCard = {
  name: string;
  status: string;
  plan: string | null;
  memory_bytes: number;
  cpus: number;
  disk_bytes: number;
  gpu: number;
  sudo: number;
  ssh_port: number;
  host_key_fingerprint: string | null;
  running_since: string | null;
};

/** Live figures; null where nobody knows. */
export type Figures = { cpus: number | null; memoryBytes: number | null; diskBytes: number | null };

const states: Record<string, { mark: string; words: string }> = {
  creating: { mark: '⏳', words: 'being created' },
  starting: { mark: '⏳', words: 'starting' },
  running: { mark: '🟢', words: 'running' },
  stopping: { mark: '⏳', words: 'stopping' },
  stopped: { mark: '⚪️', words: 'stopped' },
  destroying: { mark: '⏳', words: 'being destroyed' },
  destroyed: { mark: '⚫️', words: 'destroyed' },
  failed: { mark: '🔴', words: 'failed' },
  lost: { mark: '🔴', words: 'lost' },
};

export const stateInWords = (status: string): string => states[status]?.words ?? status;
/** The same with a mark that is seen at a glance. */
export const statusInWords = (status: string): string =>
  states[status] === undefined ? status : `${states[status].mark} ${states[status].words}`;

export const cpusInWords = (cpus: number): string => (cpus === 1 ? '1 CPU' : `${cpus} CPUs`);

export const limitsInWords = (
  vm: Pick<VmCard, 'memory_bytes' | 'cpus' | 'disk_bytes' | 'gpu' | 'sudo'>,
): string =>
  [
    `${formatBytes(vm.memory_bytes)} RAM`,
    cpusInWords(vm.cpus),
    `${formatBytes(vm.disk_bytes)} disk`,
    ...(vm.gpu === 1 ? ['GPU'] : []),
    ...(vm.sudo === 1 ? [] : ['no sudo']),
  ].join(', ');

export const sshCommand = (port: number, host: string): string => `ssh -p ${port} dev@${host}`;

/**
 * How to get in. Telegram shows a code entity in clear even under a spoiler, so the password also stands
 * in a quote that opens at a touch; it is the last line there, below the fold.
 */
export const accessInWords = (
  vm: Pick<VmCard, 'ssh_port' | 'host_key_fingerprint' | 'sudo'>,
  host: string,
  password: string | null,
): FmtString =>
  join(
    [
      fmt`${code(sshCommand(vm.ssh_port, host))}`,
      blockquote(
        join(
          [
            // Three lines above the password, always: that much the quote shows while it is folded.
            fmt`🔑 Touch to see the password`,
            fmt`User dev, ${vm.sudo === 1 ? 'with' : 'without'} sudo`,
            fmt`Host key ${vm.host_key_fingerprint ?? 'not known yet'}`,
            password === null ? fmt`(gone with the VM)` : hidden(password),
          ],
          '\n',
        ),
      ),
    ],
    '\n',
  );

/** The home alone, counted just now, may be more than all of it was a minute ago. */
const largest = (a: number | null, b: number | null): number | null =>
  a === null || b === null ? (a ?? b) : Math.max(a, b);

export const vmCard = (
  vm: VmCard,
  shown: {
    host: string;
    password: string | null;
    figures: Figures | null;
    /** Of the container and its home, as last counted on the host; null where nobody has counted. */
    diskBytes: number | null;
    terminals: number;
    /** What keeps anybody from knowing how it is now. */
    trouble?: Trouble | null;
    now: Date;
  },
): FmtString => {
  const { now } = shown;
  const live = vm.status === 'running';
  // Of one that has stopped since, those of a minute ago may be at hand.
  const figures = live ? shown.figures : null;
  const disk = live || vm.status === 'stopped' ? largest(figures?.diskBytes ?? null, shown.diskBytes) : null;
  const uptime =
    live && vm.running_since !== null
      ? fmt`, up ${formatDuration(now.getTime() - Date.parse(vm.running_since))}`
      : fmt``;
  const use = [
    figures?.cpus == null ? null : `CPU ${figures.cpus.toFixed(2)} of ${vm.cpus}`,
    figures?.memoryBytes == null
      ? null
      : `RAM ${formatBytes(figures.memoryBytes)} of ${formatBytes(vm.memory_bytes)}`,
    disk === null ? null : `disk ${formatBytes(disk)} of ${formatBytes(vm.disk_bytes)}`,
  ].filter((part) => part !== null);
  return join(
    [
      ...(shown.trouble ? [asLastKnown(shown.trouble)] : []),
      fmt`${bold(vm.name)} · ${statusInWords(vm.status)}${uptime}`,
      fmt`${vm.plan === null ? '' : `${vm.plan}: `}${limitsInWords(vm)}`,
      ...(use.length > 0 ? [fmt`${use.join(' · ')}`] : []),
      ...(shown.terminals === 0 ? [] : [fmt`${terminalsOpen(shown.terminals)}`]),
      ...(['running', 'stopped', 'starting', 'stopping'].includes(vm.status)
        ? [accessInWords(vm, shown.host, shown.password)]
        : []),
    ],
    '\n',
  );
};
