import { formatBytes, formatDuration } from '../format/numbers.ts';
import { blockquote, bold, code, type FmtString, fmt, hidden, join } from '../format/rich-text.ts';
import { terminalsOpen } from './links.ts';

/** A VM as its owner sees it. Memory and disk in bytes. */

type VmCard = {
  name: string;
  status: string;
  plan: string | null;
  memory_bytes: number;
  cpus: number;
  disk_bytes: number;
  gpu: number;
  ssh_port: number;
  host_key_fingerprint: string | null;
  running_since: string | null;
};

/** Live figures; null where nobody knows. */
export type Figures = { cpus: number | null; memoryBytes: number | null; diskBytes: number | null };

const statusMark: Record<string, string> = {
  creating: '⏳ being created',
  starting: '⏳ starting',
  running: '🟢 running',
  stopping: '⏳ stopping',
  stopped: '⚪️ stopped',
  destroying: '⏳ being destroyed',
  destroyed: '⚫️ destroyed',
  failed: '🔴 failed',
  lost: '🔴 lost',
};

export const statusInWords = (status: string): string => statusMark[status] ?? status;

export const cpusInWords = (cpus: number): string => (cpus === 1 ? '1 CPU' : `${cpus} CPUs`);

export const limitsInWords = (vm: Pick<VmCard, 'memory_bytes' | 'cpus' | 'disk_bytes' | 'gpu'>): string =>
  [
    `${formatBytes(vm.memory_bytes)} RAM`,
    cpusInWords(vm.cpus),
    `${formatBytes(vm.disk_bytes)} disk`,
    ...(vm.gpu === 1 ? ['GPU'] : []),
  ].join(', ');

export const sshCommand = (port: number, host: string): string => `ssh -p ${port} dev@${host}`;

/**
 * How to get in. Telegram shows a code entity in clear even under a spoiler, so the password also stands
 * in a quote that opens at a touch; it is the last line there, below the fold.
 */
export const accessInWords = (
  vm: Pick<VmCard, 'ssh_port' | 'host_key_fingerprint'>,
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
            fmt`User dev, with sudo`,
            fmt`Host key ${vm.host_key_fingerprint ?? 'not known yet'}`,
            password === null ? fmt`(gone with the VM)` : hidden(password),
          ],
          '\n',
        ),
      ),
    ],
    '\n',
  );

export const vmCard = (
  vm: VmCard,
  shown: {
    host: string;
    password: string | null;
    figures: Figures | null;
    terminals: number;
    now: Date;
  },
): FmtString => {
  const { figures, now } = shown;
  const live = vm.status === 'running';
  const uptime =
    live && vm.running_since !== null
      ? fmt`, up ${formatDuration(now.getTime() - Date.parse(vm.running_since))}`
      : fmt``;
  const use = figures && [
    figures.cpus === null ? null : `CPU ${figures.cpus.toFixed(2)} of ${vm.cpus}`,
    figures.memoryBytes === null
      ? null
      : `RAM ${formatBytes(figures.memoryBytes)} of ${formatBytes(vm.memory_bytes)}`,
    figures.diskBytes === null
      ? null
      : `disk ${formatBytes(figures.diskBytes)} of ${formatBytes(vm.disk_bytes)}`,
  ];
  return join(
    [
      fmt`${bold(vm.name)} · ${statusInWords(vm.status)}${uptime}`,
      fmt`${vm.plan === null ? '' : `${vm.plan}: `}${limitsInWords(vm)}`,
      ...(use ? [fmt`${use.filter((part) => part !== null).join(' · ')}`] : []),
      ...(shown.terminals === 0 ? [] : [fmt`${terminalsOpen(shown.terminals)}`]),
      ...(['running', 'stopped', 'starting', 'stopping'].includes(vm.status)
        ? [accessInWords(vm, shown.host, shown.password)]
        : []),
    ],
    '\n',
  );
};
