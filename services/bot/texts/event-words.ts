import type { Event } from '../../../shared/event-store/schema.ts';
import type { VmEvent } from '../../../shared/vm/events.ts';
import { formatBytes, formatDuration } from '../format/numbers.ts';
import type { FmtString } from '../format/rich-text.ts';
import type { DomainEvent } from '../store/domain-event.ts';
import { failureInWords } from './failures.ts';
import { straysInShort } from './strays.ts';
import { cpusInWords } from './vms.ts';

/** Events as lines of a history: what happened in a few words, and why. */

type OperationOfEvent = {
  kind: string;
  status: string;
  requested_at: string;
  ended_at: string | null;
  order_reason: string | null;
  order_note: string | null;
  cause: string | null;
};

const unfinished: Record<string, string> = {
  create: 'creation',
  start: 'start',
  restart: 'restart',
  stop: 'stop',
  destroy: 'removal',
  exec: 'a command',
  access: 'new password or keys',
};

const took = (operation: OperationOfEvent | undefined): string =>
  operation?.ended_at == null
    ? ''
    : ` in ${formatDuration(Date.parse(operation.ended_at) - Date.parse(operation.requested_at))}`;

const exits: Record<string, string> = {
  'out-of-memory': 'stopped: out of memory',
  killed: 'was killed on the host',
  'host-restarted': 'stopped with its host',
};

/** How something ended, or what happened by itself. */
export const eventInWords = (event: Event<VmEvent>, operation: OperationOfEvent | undefined): string => {
  switch (event.type) {
    case 'VmCreated':
      return `created${took(operation)}`;
    case 'VmStarted':
      return `started${took(operation)}`;
    case 'VmRestarted':
      return `restarted${took(operation)}`;
    case 'VmStopped':
      return 'stopped';
    case 'VmLeftStopped':
      return 'stays stopped after the maintenance';
    case 'VmDestroyed':
      return 'destroyed';
    case 'ExecFinished':
      return `ran a command in ${formatDuration(event.data.durationMs)}, exit code ${event.data.exitCode}`;
    case 'AccessUpdated':
      return event.data.cause === 'password' ? 'got a new password' : 'got the changed SSH keys';
    case 'VmPasswordChanged':
      return 'got a new password, from its next start on';
    case 'OperationFailed':
      return `${unfinished[event.data.kind]} failed`;
    case 'OperationCancelled':
      return `${unfinished[event.data.kind]} cancelled`;
    case 'OperationTimedOut':
      return `${unfinished[event.data.kind]} did not end in time`;
    case 'VmExited':
      return exits[event.data.cause] ?? `stopped, exit code ${event.data.exitCode}`;
    case 'VmRanOutOfMemory':
      return 'ran out of memory; a program in it was ended';
    case 'VmDiskRanLow':
      return `nearly filled its disk: ${formatBytes(event.data.usedBytes)}`;
    case 'VmLost':
      return 'vanished from the host';
    default:
      return event.type;
  }
};

const orders: Record<string, string> = {
  maintenance: 'maintenance',
  'host-restarted': 'the host was restarted',
  'found-running': 'started on the host past Berth',
  'disk-full': 'its disk was full',
  'user-removed': 'taken off the list',
};

/** Why: an order's reason, or what failed; null where there is nothing to add. */
export const reasonInWords = (
  operation: OperationOfEvent | undefined,
  event: Event<DomainEvent>,
): string | null => {
  if (event.type === 'OperationFailed') {
    const { code, detail } = event.data.reason;
    return failureInWords(code, detail).what.replace(/\.$/, '');
  }
  if (event.type === 'VmLeftStopped') return event.data.order.note ?? orders[event.data.order.reason] ?? null;
  if (operation === undefined) return null;
  return operation.order_note ?? orders[operation.order_reason ?? ''] ?? null;
};

type About = {
  vm: { name: string; owner: number } | undefined;
  operation: OperationOfEvent | undefined;
  names: (userId: number) => FmtString;
};

const outcomes: Record<string, string> = {
  open: ' ⏳',
  succeeded: ' ✅',
  failed: ' ❌',
  cancelled: ' ✖️',
  'timed-out': ' ⌛️',
};

const planChange: Record<string, (value: never) => string> = {
  name: (value: string) => `name ${value}`,
  memoryBytes: (value: number) => `ram ${formatBytes(value)}`,
  cpus: (value: number) => `cpu ${value}`,
  diskBytes: (value: number) => `disk ${formatBytes(value)}`,
  maxVms: (value: number) => `max_vms ${value}`,
  sudo: (value: boolean) => `sudo ${value ? 'on' : 'off'}`,
};

/** What somebody asked for; of work on a VM also how it ended. */
export const auditInWords = (event: Event<DomainEvent>, { vm, operation, names }: About): string => {
  const name =
    vm === undefined
      ? ''
      : vm.owner === event.metadata.actor
        ? vm.name
        : `${vm.name} of ${names(vm.owner).text}`;
  const end = outcomes[operation?.status ?? ''] ?? '';
  switch (event.type) {
    case 'VmRequested':
      return `create ${name}${end}`;
    case 'VmStartRequested':
      return `start ${name}${end}`;
    case 'VmRestartRequested':
      return `restart ${name}${end}`;
    case 'VmStopRequested':
    case 'VmStopPlanned':
      return `stop ${name}${end}`;
    case 'VmLeftStopped':
      return `leave ${name} stopped after the maintenance`;
    case 'VmDestroyRequested':
      return `destroy ${name}${end}`;
    case 'ExecRequested':
      return `command on ${name}${end}`;
    case 'ExecCancelRequested':
      return `cancel the command on ${name}`;
    case 'OperationCancelled':
      return `cancel: ${unfinished[event.data.kind]} of ${name}`;
    case 'AccessUpdateRequested':
      return `${event.data.cause === 'password' ? 'new password for' : 'changed SSH keys for'} ${name}${end}`;
    case 'VmPasswordChanged':
      return `new password for ${name}`;
    case 'UserAllowed':
      return `let in ${names(event.data.userId).text}${event.data.planId === null ? '' : ` with plan ${event.data.planId}`}`;
    case 'UserRemoved':
      return `took ${names(event.data.userId).text} off the list`;
    case 'AccessRequested':
      return 'asked for access';
    case 'AccessRefused':
      return `refused ${names(event.data.userId).text}`;
    case 'SshKeyAdded':
      return `added the SSH key ${event.data.key.comment || event.data.key.fingerprint}`;
    case 'SshKeyRemoved':
      return `removed the SSH key ${event.data.fingerprint}`;
    case 'PlanChanged': {
      const changes = Object.entries(event.data.changes).map(([field, value]) =>
        (planChange[field] ?? String)(value as never),
      );
      return `plan ${event.data.planId}: ${changes.join(', ')}`;
    }
    case 'DefaultMemoryChanged':
      return `memory without a plan: ${formatBytes(event.data.memoryBytes)}`;
    case 'DefaultCpusChanged':
      return `CPUs without a plan: ${cpusInWords(event.data.cpus)}`;
    case 'GpuPassthroughChanged':
      return `GPUs for new VMs: ${event.data.gpu ? 'on' : 'off'}`;
    case 'MaintenanceBegun':
      return 'began maintenance';
    case 'MaintenanceEnded':
      return 'ended maintenance';
    case 'ImageBuildRequested':
      return `build the VM image anew${end}`;
    case 'StrayRemovalRequested':
      return `remove ${straysInShort(event.data.strays)}${end}`;
    default:
      return event.type;
  }
};
