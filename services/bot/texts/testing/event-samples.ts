import type { Event } from '../../../../shared/event-store/schema.ts';
import type { VmEvent } from '../../../../shared/vm/events.ts';
import { GIB } from '../../../../shared/vm/limits.ts';
import type { FmtString } from '../../format/rich-text.ts';
import type { DomainEvent } from '../../store/domain-event.ts';
import { auditInWords, eventInWords, reasonInWords } from '../event-words.ts';
import { auditTitle, type HistoryLine, historyPage, historyTitle, itself, you } from '../history.ts';
import {
  detail,
  fingerprint,
  id,
  key,
  longName,
  note,
  person,
  planName,
  time,
  userId,
  vmName,
} from './longest.ts';

/** Every kind of line that a history and an audit can have. */

const event = (type: string, data: object = {}): Event<DomainEvent> =>
  ({
    type,
    data: { operationId: id, vmId: id, at: time, ...data },
    stream: `vm-${id}`,
    version: 1,
    position: 1,
    recordedAt: time,
    metadata: { actor: userId - 1, chat: userId, correlationId: id, causationId: null },
  }) as unknown as Event<DomainEvent>;

const kinds = ['create', 'start', 'restart', 'stop', 'destroy', 'exec', 'access'];
const order = { reason: 'administrator', by: userId, note, batchId: id };
const ofKinds = (type: string, data: object = {}) => kinds.map((kind) => event(type, { kind, ...data }));

/** How things ended, and what happened by itself. */
export const historicEvents: Event<DomainEvent>[] = [
  ...['VmCreated', 'VmStarted', 'VmRestarted', 'VmStopped', 'VmDestroyed'].map((type) => event(type)),
  event('ExecFinished', { durationMs: 3_725_000, exitCode: 127 }),
  event('AccessUpdated', { cause: 'password' }),
  event('AccessUpdated', { cause: 'keys' }),
  event('VmPasswordChanged'),
  ...ofKinds('OperationFailed', { reason: { code: 'docker-refused', detail } }),
  ...ofKinds('OperationCancelled'),
  ...ofKinds('OperationTimedOut'),
  ...['out-of-memory', 'killed', 'exited', 'host-restarted'].map((cause) =>
    event('VmExited', { cause, exitCode: 137 }),
  ),
  event('VmRanOutOfMemory'),
  event('VmDiskRanLow', { usedBytes: 460 * GIB }),
  event('VmLost'),
  event('VmLeftStopped', { order }),
];

/** What people asked for. */
export const askedEvents: Event<DomainEvent>[] = [
  ...['VmRequested', 'VmStartRequested', 'VmRestartRequested', 'VmStopRequested'].map((type) => event(type)),
  ...['VmDestroyRequested', 'ExecRequested', 'ExecCancelRequested'].map((type) => event(type)),
  event('VmStopPlanned', { order }),
  event('VmLeftStopped', { order }),
  event('AccessUpdateRequested', { cause: 'password' }),
  event('AccessUpdateRequested', { cause: 'keys' }),
  event('VmPasswordChanged'),
  ...ofKinds('OperationCancelled'),
  event('UserAllowed', { userId, planId: null }),
  event('UserAllowed', { userId, planId: '3' }),
  event('UserRemoved', { userId }),
  event('AccessRequested'),
  event('AccessRefused', { userId }),
  event('SshKeyAdded', { key }),
  event('SshKeyAdded', { key: { ...key, comment: '' } }),
  event('SshKeyRemoved', { fingerprint }),
  event('PlanChanged', {
    planId: '3',
    changes: {
      name: planName,
      memoryBytes: 16 * GIB,
      cpus: 0.5,
      diskBytes: 500 * GIB,
      maxVms: 100,
      sudo: false,
    },
  }),
  event('DefaultMemoryChanged', { memoryBytes: 16 * GIB }),
  event('DefaultCpusChanged', { cpus: 0.5 }),
  event('GpuPassthroughChanged', { gpu: true }),
  event('GpuPassthroughChanged', { gpu: false }),
  event('MaintenanceBegun'),
  event('MaintenanceEnded'),
  event('ImageBuildRequested'),
  event('StrayRemovalRequested', { strays: [{ kind: 'container', name: longName }] }),
  event('StrayRemovalRequested', { strays: Array(3).fill({ kind: 'volume', name: longName }) }),
];

const operations = ['open', 'succeeded', 'failed', 'cancelled', 'timed-out'].flatMap((status) =>
  [null, 'maintenance', 'host-restarted', 'user-removed'].map((reason) => ({
    kind: 'create',
    status,
    requested_at: time,
    ended_at: '2026-11-25T23:38:00.000Z',
    order_reason: reason,
    order_note: reason === null ? note : null,
    cause: null,
  })),
);
const operationAt = (index: number) => operations[index % operations.length];

const vm = { name: vmName, owner: userId };
const names = () => person;

export const historyLines: HistoryLine[] = historicEvents.map((one, index) => ({
  at: time,
  subject: vmName,
  what: eventInWords(one as Event<VmEvent>, operationAt(index)),
  who: [you, itself, person][index % 3]!,
  why: reasonInWords(operationAt(index), one),
}));

export const auditLines: HistoryLine[] = askedEvents.map((one, index) => ({
  at: time,
  subject: null,
  what: auditInWords(one, { vm, operation: operationAt(index), names }),
  who: person,
  why: reasonInWords(operationAt(index), one),
}));

/** As many lines as stand on a page. */
const pageSize = 10;
const pagesOf = (title: FmtString, lines: readonly HistoryLine[]) =>
  Array.from({ length: Math.ceil(lines.length / pageSize) }, (_, page) =>
    historyPage(title, lines.slice(page * pageSize, (page + 1) * pageSize), page > 0),
  );

export const historyPages = pagesOf(historyTitle(vmName), historyLines);
export const auditPages = pagesOf(auditTitle(person), auditLines);
