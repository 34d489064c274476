import { sql } from 'kysely';
import { eventFromRow } from '../../shared/event-store/append.ts';
import type { Event } from '../../shared/event-store/schema.ts';
import { vmStream } from '../../shared/vm/decider.ts';
import type { VmEvent } from '../../shared/vm/events.ts';
import type { Db } from './conversation.ts';
import type { FmtString } from './format/rich-text.ts';
import { findNames, type Names } from './names.ts';
import { findOperation, findVm } from './queries.ts';
import { type DomainEvent, isVmEvent } from './store/domain-event.ts';
import type { OperationRow, VmRow } from './store/schema.ts';
import { upcasters } from './store/upcasters.ts';
import { auditInWords, eventInWords, reasonInWords } from './texts/event-words.ts';
import { type HistoryLine, itself, you } from './texts/history.ts';

/** Pages of what happened, read from the events themselves: newest first, each page ending where the next one begins. */

export type Page = {
  lines: HistoryLine[] /** Where the next page begins; null on the last one. */;
  before: number | null;
};

/** Lines of the longest names and reasons still fit into a message. */
const pageSize = 10;

/** What is worth a line in a VM's history: how things ended, and what happened by itself. */
const historic: VmEvent['type'][] = [
  'VmCreated',
  'VmStarted',
  'VmRestarted',
  'VmStopped',
  'VmLeftStopped',
  'VmDestroyed',
  'ExecFinished',
  'AccessUpdated',
  'VmPasswordChanged',
  'OperationFailed',
  'OperationCancelled',
  'OperationTimedOut',
  'VmExited',
  'VmRanOutOfMemory',
  'VmDiskRanLow',
  'VmLost',
];

/** What somebody asked for. */
const asked: DomainEvent['type'][] = [
  'VmRequested',
  'VmStartRequested',
  'VmRestartRequested',
  'VmStopRequested',
  'VmDestroyRequested',
  'VmStopPlanned',
  'VmLeftStopped',
  'ExecRequested',
  'ExecCancelRequested',
  'AccessUpdateRequested',
  'VmPasswordChanged',
  'OperationCancelled',
  'UserAllowed',
  'UserRemoved',
  'AccessRequested',
  'AccessRefused',
  'SshKeyAdded',
  'SshKeyRemoved',
  'PlanChanged',
  'DefaultMemoryChanged',
  'DefaultCpusChanged',
  'GpuPassthroughChanged',
  'MaintenanceBegun',
  'MaintenanceEnded',
  'ImageBuildRequested',
  'StrayRemovalRequested',
];

type Query = { types: readonly string[]; before: number; streams?: readonly string[]; actor?: number };

/** One event more than a page holds, so that it shows whether there is another page. */
const readPage = async (db: Db, { types, before, streams, actor }: Query): Promise<Event<DomainEvent>[]> => {
  const rows = await db
    .selectFrom('events')
    .selectAll()
    .where('type', 'in', types)
    .where('position', '<', before)
    .$if(streams !== undefined || actor !== undefined, (query) =>
      query.where((where) =>
        where.or([
          ...(streams === undefined || streams.length === 0 ? [] : [where('stream', 'in', streams)]),
          ...(actor === undefined ? [] : [where('actor', '=', actor)]),
        ]),
      ),
    )
    .orderBy('position', 'desc')
    .limit(pageSize + 1)
    .execute();
  return rows.map((row) => eventFromRow(row, upcasters) as unknown as Event<DomainEvent>);
};

const pageOf = async (
  events: Event<DomainEvent>[],
  lineOf: (event: Event<DomainEvent>) => Promise<HistoryLine>,
): Promise<Page> => {
  const shown = events.slice(0, pageSize);
  return {
    lines: await Promise.all(shown.map(lineOf)),
    before: events.length > pageSize ? (shown.at(-1)?.position ?? null) : null,
  };
};

const operationOf = async (db: Db, { data }: Event<DomainEvent>): Promise<OperationRow | undefined> =>
  'operationId' in data ? findOperation(db, data.operationId) : undefined;

/** A command ends by the word of a worker; who wanted it to end stands in an event before. */
const findCanceller = async (db: Db, { stream, data }: Event<DomainEvent>): Promise<number | null> => {
  const row = await db
    .selectFrom('events')
    .select('actor')
    .where('stream', '=', stream)
    .where('type', '=', 'ExecCancelRequested')
    .where(sql`json_extract(data, '$.operationId')`, '=', 'operationId' in data ? data.operationId : '')
    .executeTakeFirst();
  return row?.actor ?? null;
};

/** Whoever did it; else, of how something ended, whoever had it begun. */
const whoDid = async (
  db: Db,
  {
    event,
    vm,
    operation,
  }: { event: Event<DomainEvent>; vm: VmRow | undefined; operation: OperationRow | undefined },
  reader: number,
  names: Names,
): Promise<FmtString> => {
  const cancelled = event.type === 'OperationCancelled' && event.data.kind === 'exec';
  const actor =
    event.metadata.actor ??
    (cancelled ? await findCanceller(db, event) : null) ??
    operation?.order_by ??
    operation?.actor ??
    // Keys that came while the VM was coming up go in when it is there.
    (operation?.cause === 'keys' ? vm?.owner : null);
  if (actor === null || actor === undefined) return itself;
  return actor === reader ? you : names(actor);
};

/** The history of somebody's VMs, or of one of them. `vmIds`: all of theirs, destroyed ones included. */
export const readHistory = async (
  db: Db,
  {
    vmIds,
    reader,
    before = Number.MAX_SAFE_INTEGER,
  }: { vmIds: readonly string[]; reader: number; before?: number },
): Promise<Page> => {
  if (vmIds.length === 0) return { lines: [], before: null };
  const names = await findNames(db);
  const events = await readPage(db, { types: historic, before, streams: vmIds.map(vmStream) });
  return pageOf(events, async (event) => {
    const vm = isVmEvent(event) ? await findVm(db, event.data.vmId) : undefined;
    const operation = await operationOf(db, event);
    return {
      at: event.recordedAt,
      subject: vm?.name ?? null,
      what: eventInWords(event as Event<VmEvent>, operation),
      who: await whoDid(db, { event, vm, operation }, reader, names),
      why: reasonInWords(operation, event),
    };
  });
};

/** Who asked for what; of one person what they did and what was done to them and their VMs. */
export const readAudit = async (
  db: Db,
  {
    userId,
    reader,
    before = Number.MAX_SAFE_INTEGER,
  }: { userId: number | null; reader: number; before?: number },
): Promise<Page> => {
  const names = await findNames(db);
  const owned =
    userId === null ? [] : await db.selectFrom('vms').select('vm_id').where('owner', '=', userId).execute();
  const about =
    userId === null
      ? {}
      : { actor: userId, streams: [`user-${userId}`, ...owned.map(({ vm_id }) => vmStream(vm_id))] };
  const events = await readPage(db, { types: asked, before, ...about });
  return pageOf(events, async (event) => {
    const vm = isVmEvent(event) ? await findVm(db, event.data.vmId) : undefined;
    const operation = await operationOf(db, event);
    return {
      at: event.recordedAt,
      subject: null,
      what: auditInWords(event, { vm, operation, names }),
      who: await whoDid(db, { event, vm, operation }, reader, names),
      why: reasonInWords(operation, event),
    };
  });
};
