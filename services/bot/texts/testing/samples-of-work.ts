import { failureCode } from '../../../../shared/vm/failure.ts';
import { GIB } from '../../../../shared/vm/limits.ts';
import { fmt } from '../../format/rich-text.ts';
import * as buttons from '../buttons.ts';
import * as disk from '../disk.ts';
import type * as eventWords from '../event-words.ts';
import * as failures from '../failures.ts';
import * as history from '../history.ts';
import * as operations from '../operations.ts';
import * as orders from '../orders.ts';
import * as parts from '../parts.ts';
import * as refusals from '../refusals.ts';
import { accessInWords } from '../vms.ts';
import { auditLines, auditPages, historyLines, historyPages } from './event-samples.ts';
import {
  orders as allOrders,
  caption,
  detail,
  exec,
  fault,
  host,
  id,
  message,
  note,
  operation,
  person,
  planName,
  publicHost,
  statuses,
  time,
  toast,
  typed,
  userId,
  vmName,
  vmNames,
  vmRow,
} from './longest.ts';
import type { Samples } from './samples-of-people.ts';

/** What people read while something runs, when it has ended, and when it cannot be. */

const kinds = ['create', 'start', 'restart', 'stop', 'destroy'];
const access = accessInWords(vmRow('running'), publicHost, 'p'.repeat(24));
const cancel = [[buttons.cancelButton(id)]];
const ordered = allOrders.flatMap((order) => ['stop', 'start', 'destroy'].map((kind) => ({ kind, order })));
const failed = { name: vmName, owner: person, reasonCode: 'docker-refused', reasonDetail: detail, id };
const batch: orders.BatchInWords = {
  what: 'maintenance-on',
  who: null,
  target: null,
  open: 0,
  succeeded: 0,
  failed: [],
  cancelled: 0,
  planned: 0,
  left: 0,
};
const execs = [
  exec,
  { ...exec, trouble: 'cannot-save' as const },
  { ...exec, trouble: 'cannot-save' as const, step: 'running' },
  { ...exec, cancelling: true, step: 'running', command: null, output: null },
  { ...exec, asFile: true, truncated: true, output: null, exitCode: null, durationMs: null },
  { ...exec, command: 'df -h /home/dev', output: 'Filesystem Size Used', exitCode: 0, step: 'running' },
];

export const ofOperations: Samples<Omit<typeof operations, 'shownOutput'>> = {
  reference: [message(operations.reference(id))],
  operationOpen: [
    ...kinds.flatMap((kind) =>
      [
        null,
        'image',
        'building',
        'container',
        'starting',
        'ssh',
        'stopping',
        'removing',
        'something new',
      ].map((step) =>
        message(operations.operationOpen({ ...operation, kind, step, stepDetail: 'Step 3/9' }), cancel),
      ),
    ),
    ...[null, 0, 1].map((ahead) => message(operations.operationOpen({ ...operation, ahead }))),
    ...ordered.map(({ kind, order }) => message(operations.operationOpen({ ...operation, kind, order }))),
  ],
  created: [message(operations.created(vmName, 59_999, access), buttons.vmButtons(vmRow('running')))],
  started: [message(operations.started(vmName, 59_999, access), buttons.vmButtons(vmRow('running')))],
  upForAMoment: ['create', 'start', 'restart'].map((kind) => message(operations.upForAMoment(kind, vmName))),
  stopped: [message(operations.stopped(vmName), buttons.vmButtons(vmRow('stopped')))],
  destroyed: [message(operations.destroyed(vmName), buttons.vmButtons(vmRow('destroyed')))],
  orderDone: ordered.flatMap(({ kind, order }) => [
    message(operations.orderDone(kind, vmName, order, null)),
    message(operations.orderDone(kind, vmName, order, access)),
  ]),
  operationFailed: [
    ...kinds.map((kind) => message(operations.operationFailed({ ...operation, kind }))),
    ...ordered.map(({ kind, order }) => message(operations.operationFailed({ ...operation, kind, order }))),
  ],
  operationCancelled: kinds.flatMap((kind) =>
    [true, false].map((byDestroy) =>
      message(operations.operationCancelled({ ...operation, kind }, byDestroy)),
    ),
  ),
  operationTimedOut: kinds.map((kind) => message(operations.operationTimedOut({ ...operation, kind }))),
  imageBuildOpen: [
    message(operations.imageBuildOpen(operation), cancel),
    message(operations.imageBuildOpen({ ...operation, ahead: null })),
    message(operations.imageBuildOpen({ ...operation, trouble: 'cannot-save' })),
    message(operations.imageBuildOpen({ ...operation, step: 'building' })),
    message(operations.imageBuildOpen({ ...operation, step: 'building', stepDetail: 'Step 3/9' })),
  ],
  imageBuildDone: [message(operations.imageBuildDone(host, 3_725_000))],
  imageBuildFailed: [message(operations.imageBuildFailed(operation))],
  imageBuildCancelled: [message(operations.imageBuildCancelled)],
  imageBuildTimedOut: [message(operations.imageBuildTimedOut(operation))],
  imageIsNew: [message(operations.imageIsNew(host, null)), message(operations.imageIsNew(host, person))],
  execOpen: execs.map((each) => message(operations.execOpen(each), cancel)),
  execEnded: execs.map((each) => message(operations.execEnded(each))),
  execTimedOut: execs.map((each) => message(operations.execTimedOut(each))),
  execCancelled: execs.map((each) => message(operations.execCancelled(each))),
  // One that failed has no output.
  execFailed: failureCode.options.map((reasonCode) =>
    message(operations.execFailed({ ...exec, output: null, reasonCode })),
  ),
  outputCaption: [
    caption(operations.outputCaption({ ...exec, truncated: true }, 'l'.repeat(700))),
    caption(operations.outputCaption(exec, '')),
  ],
};

export const ofFailures: Samples<typeof failures> = {
  failureInWords: [...failureCode.options, 'from-a-newer-worker', null].flatMap((code) =>
    [detail, null].map((reason) => {
      const { what, next } = failures.failureInWords(code, reason);
      return message(fmt`${what}\n${next}`);
    }),
  ),
};

const fullDisk = { usedBytes: 551.2 * GIB, limitBytes: 500 * GIB };
export const ofDisk: Samples<typeof disk> = {
  diskInWords: [message(disk.diskInWords(fullDisk)), message(disk.diskInWords(null))],
  diskLookInWords: [
    message(disk.diskLookInWords({ at: time, measured: 180, unknown: 20, slow: 3 })),
    message(disk.diskLookInWords({ at: time, measured: 1, unknown: 0, slow: 0 })),
  ],
  vmDiskLow: [
    message(disk.vmDiskLow(vmName, 460 * GIB, 500 * GIB), buttons.vmButtons(vmRow('running'))),
    message(disk.vmDiskLow(vmName, 560 * GIB, 500 * GIB), buttons.vmButtons(vmRow('running'))),
  ],
  stoppedForDisk: [message(disk.stoppedForDisk(vmName, fullDisk), buttons.vmButtons(vmRow('stopped')))],
};

export const ofOrders: Samples<typeof orders> = {
  orderedOpen: ordered.map(({ kind, order }) => message(orders.orderedOpen(kind, vmName, order))),
  orderedDone: ordered.map(({ kind, order }) => message(orders.orderedDone(kind, vmName, order))),
  orderedFailed: ordered.map(({ kind, order }) => message(orders.orderedFailed(kind, vmName, order))),
  leftStopped: allOrders.map((order) => message(orders.leftStopped(vmName, order))),
  batchInWords: (
    ['maintenance-on', 'maintenance-off', 'force-stop', 'force-destroy', 'user-removed'] as const
  ).flatMap((what) => [
    message(orders.batchInWords({ ...batch, what })),
    message(orders.batchInWords({ ...batch, what, target: person, who: person, open: 1 })),
    message(orders.batchInWords({ ...batch, what, target: person, left: 1 })),
    message(
      orders.batchInWords({
        ...batch,
        what,
        target: person,
        who: person,
        open: 100,
        succeeded: 200,
        planned: 3,
        cancelled: 4,
        left: 5,
        failed: Array(12).fill(failed),
      }),
    ),
  ]),
  youAreRemoved: [[], [vmName], vmNames].map((names) => message(orders.youAreRemoved(names))),
  confirmForceDestroy: [null, person].flatMap((target) =>
    [1, 40].map((count) =>
      message(orders.confirmForceDestroy(target, Array(count).fill({ name: vmName, owner: person }), note), [
        [buttons.confirmForceDestroyButton(Number.MAX_SAFE_INTEGER)],
        [buttons.dropForceDestroyButton],
      ]),
    ),
  ),
  forceDestroyConfirmed: [message(orders.forceDestroyConfirmed)],
  forceDestroyDropped: [message(orders.forceDestroyDropped)],
  targetUnknown: [fault(orders.targetUnknown(typed))],
  targetMissing: [fault(orders.targetMissing)],
  beingDestroyedAlready: [message(orders.beingDestroyedAlready)],
  targetHasNoVm: [null, person].map((target) => message(orders.targetHasNoVm(target))),
  targetRunsNothing: [null, person].map((target) => message(orders.targetRunsNothing(target))),
  userNotAllowed: [message(orders.userNotAllowed(userId))],
  isAdministrator: [message(orders.isAdministrator(userId))],
};

const plans = ['1', '2', '3', '4'].map((plan) => `${plan} (${planName})`);
const verbs = ['start', 'stop', 'restart', 'destroy', 'exec', 'password'] as const;

export const ofRefusals: Samples<typeof refusals> = {
  vmRefusal: [...statuses, 'none'].flatMap((status) =>
    verbs.flatMap((verb) => [
      message(refusals.vmRefusal(verb, { name: vmName, status }), buttons.vmButtons(vmRow(status))),
      message(refusals.vmRefusal(verb, { name: vmName, status, paused: 1 })),
    ]),
  ),
  operationEnded: [message(refusals.operationEnded)],
  notCancellable: [message(refusals.notCancellable)],
  tooManyExecs: [message(refusals.tooManyExecs(8))],
  cancelledAlready: [message(refusals.cancelledAlready)],
  nothingToCancel: [message(refusals.nothingToCancel)],
  movedOn: statuses.map((status) => toast(refusals.movedOn({ name: vmName, status }))),
  buttonExpired: [toast(refusals.buttonExpired)],
  buttonNotYours: [toast(refusals.buttonNotYours)],
  buttonUnknown: [toast(refusals.buttonUnknown)],
  noVm: [message(refusals.noVm, [[buttons.createButton]])],
  noVmCalled: [message(refusals.noVmCalled(vmName, vmNames)), message(refusals.noVmCalled(vmName, []))],
  limitReached: [
    message(refusals.limitReached(10, vmNames, planName)),
    message(refusals.limitReached(1, [vmName], null)),
    message(refusals.limitReached(0, [], planName)),
  ],
  stillLeaving: [message(refusals.stillLeaving(vmNames)), message(refusals.stillLeaving([vmName]))],
  nameTaken: [message(refusals.nameTaken(vmName), buttons.vmButtons(vmRow('running')))],
  noPortLeft: [message(refusals.noPortLeft)],
  nameRule: [fault(refusals.nameRule)],
  argumentsWrong: [fault(refusals.argumentsWrong)],
  noArgumentWanted: [fault(refusals.noArgumentWanted)],
  commandMissing: [fault(refusals.commandMissing)],
  commandTooLong: [fault(refusals.commandTooLong)],
  nulByte: [fault(refusals.nulByte)],
  refusedLately: [toast(refusals.refusedLately)],
  severalCalledSo: [fault(refusals.severalCalledSo('x'.repeat(40), Array(12).fill(userId)))],
  badUserId: [fault(refusals.badUserId)],
  tooManyWords: [fault(refusals.tooManyWords)],
  planUnknown: [fault(refusals.planUnknown(typed, plans))],
  badUsername: [fault(refusals.badUsername(typed, plans))],
  alreadyEnded: [toast(refusals.alreadyEnded)],
  inputGone: [toast(refusals.inputGone)],
  noteTooLong: [fault(refusals.noteTooLong(300))],
};

export const ofHistory: Samples<typeof history> = {
  timeInWords: [message(history.timeInWords(time))],
  historyPage: [
    ...[...historyPages, ...auditPages].map((page) =>
      message(page, [[buttons.olderButton('history', id, 99_999)]]),
    ),
    message(history.historyPage(history.historyTitle(null), [], true)),
    message(history.historyPage(history.historyTitle(vmName), [], false)),
  ],
  historyTitle: [message(history.historyTitle(vmName)), message(history.historyTitle(null))],
  auditTitle: [message(history.auditTitle(person)), message(history.auditTitle(null))],
  you: [message(history.you)],
  itself: [message(history.itself)],
  userUnknown: [fault(history.userUnknown(typed))],
};

export const ofEventWords: Samples<typeof eventWords> = {
  eventInWords: historyLines.map(({ what }) => message(what)),
  auditInWords: auditLines.map(({ what }) => message(what)),
  reasonInWords: [...historyLines, ...auditLines].flatMap(({ why }) => (why === null ? [] : [message(why)])),
};

export const ofParts: Samples<typeof parts> = {
  inWords: [message(parts.inWords(vmNames))],
  vmCountInWords: [0, 1, 100].map((count) => message(parts.vmCountInWords(count))),
  shortened: [message(parts.shortened(typed)), message(parts.shortened('4x'))],
};
