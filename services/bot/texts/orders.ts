import { bold, code, type FmtString, fmt, join } from '../format/rich-text.ts';
import { diskInWords, stoppedForDisk } from './disk.ts';
import { failureInWords } from './failures.ts';
import { inWords, shortened } from './parts.ts';

/**
 * What administrators do to other people's VMs: how it reads for them, many VMs at once, and for the owners. `who` is how
 * the administrator is called.
 */

export type OrderInWords = {
  reason: string;
  who: FmtString | null;
  note: string | null;
  /** Where a full disk is why. Bytes. */
  disk?: { usedBytes: number; limitBytes: number } | null;
};

const because = ({ note }: OrderInWords): FmtString => (note === null ? fmt`` : fmt`\nReason: ${note}`);
const by = ({ who }: OrderInWords): FmtString => (who === null ? fmt`` : fmt` by the administrator ${who}`);

/** The first line while it runs. */
export const orderedOpen = (kind: string, name: string, order: OrderInWords): FmtString => {
  switch (order.reason) {
    case 'maintenance':
      return kind === 'start'
        ? fmt`🔧 Maintenance is over: starting ${bold(name)} again…`
        : fmt`🔧 Maintenance: stopping ${bold(name)}…`;
    case 'host-restarted':
      return fmt`🔁 The host was restarted: starting ${bold(name)} again…`;
    case 'user-removed':
      return fmt`⏹ Stopping ${bold(name)}…`;
    case 'found-running':
      return fmt`⏹ ${bold(name)} was started on the host past Berth, and is being stopped again…`;
    case 'disk-full':
      return fmt`🛑 ${bold(name)} uses ${diskInWords(order.disk)}, and is being stopped…`;
    default:
      return fmt`⏳ ${bold(name)} is being ${kind === 'destroy' ? 'destroyed' : 'stopped'}${by(order)}…${because(order)}`;
  }
};

/** What stands in the place of the usual first line when it has succeeded. */
export const orderedDone = (kind: string, name: string, order: OrderInWords): FmtString => {
  switch (order.reason) {
    case 'maintenance':
      return kind === 'start'
        ? fmt`✅ Maintenance is over: ${bold(name)} is running again.`
        : fmt`🔧 ${bold(name)} is stopped for maintenance and starts again by itself when that ends. Its files, port and host key stay as they are.`;
    case 'host-restarted':
      return fmt`✅ The host was restarted; ${bold(name)} is running again. What ran in it has ended.`;
    case 'user-removed':
      return fmt`⏹ ${bold(name)} is stopped. Its files are kept.`;
    case 'disk-full':
      return stoppedForDisk(name, order.disk);
    case 'found-running':
      return fmt`⏹ ${bold(name)} had been started on the host past Berth, and is stopped again. /start_vm starts it.`;
    default:
      return kind === 'destroy'
        ? fmt`🗑 ${bold(name)} was destroyed${by(order)}, its home and password with it.${because(order)}`
        : fmt`⏹ ${bold(name)} was stopped${by(order)}. Its files, port and host key stay as they are.${because(order)}`;
  }
};

/** Maintenance stopped it before; that alone would have started it again. */
export const leftStopped = (name: string, order: OrderInWords): FmtString =>
  fmt`⏹ ${bold(name)} does not start again by itself when maintenance ends: that was decided${by(order)}. Its files, port and host key stay as they are; /start_vm starts it then.${because(order)}`;

/** Said before what failed and why. */
export const orderedFailed = (kind: string, name: string, order: OrderInWords): FmtString => {
  const verb = kind === 'start' ? 'started' : kind === 'destroy' ? 'destroyed' : 'stopped';
  switch (order.reason) {
    case 'maintenance':
      return kind === 'start'
        ? fmt`❌ Maintenance is over, but ${bold(name)} could not be started.`
        : fmt`❌ ${bold(name)} could not be stopped for maintenance.`;
    case 'host-restarted':
      return fmt`❌ The host was restarted, and ${bold(name)} could not be started again.`;
    case 'disk-full':
      return fmt`❌ ${bold(name)} uses ${diskInWords(order.disk)}, and could not be stopped.`;
    default:
      return fmt`❌ ${bold(name)} could not be ${verb}.`;
  }
};

/** Many VMs under one order, for the administrators. */
export type BatchInWords = {
  what: 'maintenance-on' | 'maintenance-off' | 'force-stop' | 'force-destroy' | 'user-removed';
  /** Who gave it; null where the reader knows. */
  who: FmtString | null;
  /** Whose VMs; null for everybody's. */
  target: FmtString | null;
  open: number;
  succeeded: number;
  failed: {
    name: string;
    owner: FmtString;
    reasonCode: string | null;
    reasonDetail: string | null;
    id: string;
  }[];
  cancelled: number;
  /** On their way to another state first. */
  planned: number;
  /** Stopped for maintenance already, and staying so when that ends. */
  left: number;
};

const batchHead = ({ what, who, target }: BatchInWords): FmtString => {
  const ordered = who === null ? fmt`` : fmt`, by ${who}`;
  switch (what) {
    case 'maintenance-on':
      return fmt`🔧 Maintenance is ${bold('on')}${ordered}. Nobody but administrators can create or start VMs. ${code('/maintenance off')} ends it.`;
    case 'maintenance-off':
      return fmt`🔧 Maintenance is ${bold('off')}${ordered}. What it stopped starts again.`;
    case 'force-stop':
      return fmt`⏹ Stopping ${target === null ? "everybody's VMs" : fmt`the VMs of ${target}`}${ordered}.`;
    case 'force-destroy':
      return fmt`🗑 Destroying ${target === null ? "everybody's VMs" : fmt`the VMs of ${target}`}${ordered}.`;
    case 'user-removed':
      return fmt`🔒 ${target ?? 'Somebody'} is off the list${ordered}. Their data is kept; ${code('/allow_user')} lets them back in.`;
  }
};

const participles = {
  'maintenance-on': 'stopped',
  'maintenance-off': 'started',
  'force-stop': 'stopped',
  'force-destroy': 'destroyed',
  'user-removed': 'stopped',
};
const nothingToDo = {
  'maintenance-on': 'No VM was running.',
  'maintenance-off': 'There was no VM to start.',
  'force-stop': 'No VM was running.',
  'force-destroy': 'There was no VM.',
  'user-removed': 'They had no VM running.',
};

/** Failures shown one by one. */
const shownFailures = 10;

export const batchInWords = (batch: BatchInWords): FmtString => {
  const { what, open, succeeded, failed, cancelled, planned, left } = batch;
  const all = open + succeeded + failed.length + cancelled + planned;
  const done = participles[what];
  const counts = [
    `${succeeded} of ${all} ${all === 1 ? 'VM' : 'VMs'} ${done}`,
    ...(open > 0 ? [`${open} to go`] : []),
    ...(planned > 0 ? [`${planned} still busy and next in turn`] : []),
    ...(cancelled > 0 ? [`${cancelled} overtaken by something newer`] : []),
    ...(failed.length > 0 ? [`${failed.length} failed`] : []),
  ];
  const mark = open + planned > 0 ? '⏳' : failed.length > 0 ? '⚠️' : '✅';
  return join(
    [
      batchHead(batch),
      ...(all > 0 ? [fmt`${mark} ${counts.join(', ')}.`] : left === 0 ? [fmt`${nothingToDo[what]}`] : []),
      ...(left > 0
        ? [
            fmt`⏹ ${left === 1 ? '1 VM stays' : `${left} VMs stay`} stopped, also when the maintenance ends that stopped ${left === 1 ? 'it' : 'them'}.`,
          ]
        : []),
      ...failed
        .slice(0, shownFailures)
        .map(
          ({ name, owner, reasonCode, reasonDetail, id }) =>
            fmt`❌ ${bold(name)} of ${owner}: ${shortened(failureInWords(reasonCode, reasonDetail).what, 200)} id ${code(id)}`,
        ),
      ...(failed.length > shownFailures
        ? [fmt`… and ${failed.length - shownFailures} more: /admin_info`]
        : []),
    ],
    '\n',
  );
};

export const youAreRemoved = (vms: readonly string[]): FmtString =>
  fmt`🔒 An administrator has taken you off Berth's list.${
    vms.length === 0
      ? ''
      : fmt` ${inWords(vms)} ${vms.length === 1 ? 'is' : 'are'} stopped, and kept with all data.`
  } After /start you can ask to be let back in.`;

const whose = (count: number, target: FmtString | null): FmtString => {
  if (target === null) return count === 1 ? fmt`the only VM` : fmt`all ${count} VMs`;
  return count === 1 ? fmt`this VM of ${target}` : fmt`these ${count} VMs of ${target}`;
};

export const confirmForceDestroy = (
  target: FmtString | null,
  vms: readonly { name: string; owner: FmtString }[],
  note: string | null,
): FmtString =>
  join(
    [
      fmt`🗑 Destroy ${whose(vms.length, target)} for good? ${vms.length === 1 ? 'Its home' : 'Every home'} is deleted; nobody can bring it back. ${vms.length === 1 ? 'The owner is' : 'The owners are'} told${note === null ? '' : fmt`: ${note}`}.`,
      ...vms.slice(0, 30).map(({ name, owner }) => fmt`• ${bold(name)} of ${owner}`),
      ...(vms.length > 30 ? [fmt`… and ${vms.length - 30} more`] : []),
    ],
    '\n',
  );
export const forceDestroyConfirmed = fmt`🗑 Confirmed.`;
export const forceDestroyDropped = fmt`👍 Nothing is destroyed.`;
export const targetUnknown = (text: string): string =>
  `${shortened(text)} is neither all nor anybody I know: give a Telegram id, a user name, or all`;
export const targetMissing = 'say whose VMs: a Telegram id, a user name, or all';
export const beingDestroyedAlready = fmt`🗑 They are being destroyed already.`;
export const targetHasNoVm = (target: FmtString | null): FmtString =>
  target === null ? fmt`There is no VM.` : fmt`${target} has no VM.`;
export const targetRunsNothing = (target: FmtString | null): FmtString =>
  target === null ? fmt`No VM is running.` : fmt`${target} has no VM running.`;
export const userNotAllowed = (userId: number): FmtString =>
  fmt`${code(`${userId}`)} is not on the list. /list_allowed shows who is.`;
export const isAdministrator = (userId: number): FmtString =>
  fmt`${code(`${userId}`)} is an administrator by the configuration (ADMIN_USER_ID). Take them out there; the list does not hold them.`;
