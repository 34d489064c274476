import { type Decider, IllegalStateError } from '../decider.ts';
import type { RecordDiskUse, VmCommand } from './commands.ts';
import { cleanUpTime, diskShares } from './disk.ts';
import type { LifecycleKind, OperationFailed, OperationKind, Order, VmEvent } from './events.ts';
import { dropPlans, onceDown, onceUp, orderStart, orderStop, updateKeys } from './plans.ts';
import { evolve, initialState, type Vm, type VmStatus } from './vm.ts';

/** Refuses a command, naming the state that forbids it, so that the answer can say what to do instead. */
const refuse = (vm: Vm): never => {
  throw new IllegalStateError(`vm-${vm.status}`, `the VM is ${vm.status}`);
};

const requireStatus = (vm: Vm, ...allowed: VmStatus[]): void => {
  if (!allowed.includes(vm.status)) refuse(vm);
};

const isInFlight = (vm: Vm, operationId: string, ...kinds: LifecycleKind[]): boolean =>
  vm.operation?.id === operationId && (kinds.length === 0 || kinds.includes(vm.operation.kind));

/** An operation has one end; under an id used twice it would have two. Ids that have ended are the caller's to avoid. */
const requireNew = (vm: Vm, operationId: string): void => {
  if (kindOf(vm, operationId) === undefined) return;
  throw new IllegalStateError('operation-known', `operation ${operationId} is in flight already`);
};

const kindOf = (vm: Vm, operationId: string): OperationKind | undefined => {
  if (vm.operation?.id === operationId) return vm.operation.kind;
  if (Object.hasOwn(vm.execs, operationId)) return 'exec';
  return Object.hasOwn(vm.updates, operationId) ? 'access' : undefined;
};

const besideOperations = (vm: Vm) => [
  ...Object.keys(vm.execs).map((operationId) => ({ operationId, kind: 'exec' as const })),
  ...Object.keys(vm.updates).map((operationId) => ({ operationId, kind: 'access' as const })),
];

/** The VM's processes are gone, and with them whatever still ran in it. */
const endBeside = (vm: Vm, { vmId, at }: { vmId: string; at: string }): OperationFailed[] =>
  besideOperations(vm).map(({ operationId, kind }) => ({
    type: 'OperationFailed',
    data: { operationId, vmId, at, kind, reason: { code: 'vm-not-running', detail: '' } },
  }));

/**
 * A restart puts the access in place that holds when it is asked for. A change on its way then is over: taken for done
 * later, the password that people are shown would not be the one that the VM has.
 */
const endUpdates = (vm: Vm, ids: { vmId: string; at: string }): OperationFailed[] =>
  endBeside(vm, ids).filter(({ data }) => data.kind === 'access');

const cancelEverything = (vm: Vm, { vmId, at }: { vmId: string; at: string }): VmEvent[] => [
  ...dropPlans(vm, { vmId, at }),
  ...(vm.operation === null
    ? []
    : [
        {
          type: 'OperationCancelled' as const,
          data: { operationId: vm.operation.id, vmId, at, kind: vm.operation.kind },
        },
      ]),
  ...besideOperations(vm).map(({ operationId, kind }) => ({
    type: 'OperationCancelled' as const,
    data: { operationId, vmId, at, kind },
  })),
];

const cancel = (
  vm: Vm,
  data: { operationId: string; vmId: string; at: string; undoOperationId: string },
): VmEvent[] => {
  const { operationId, vmId, at, undoOperationId } = data;
  const exec = vm.execs[operationId];
  if (exec === 'cancelling') return [];
  if (exec === 'running') return [{ type: 'ExecCancelRequested', data: { operationId, vmId, at } }];
  if (Object.hasOwn(vm.updates, operationId)) {
    throw new IllegalStateError('not-cancellable', 'a change of password or keys cannot be cancelled');
  }
  if (vm.operation === null || vm.operation.id !== operationId) {
    throw new IllegalStateError('operation-ended', 'the operation has ended');
  }
  requireNew(vm, undoOperationId);
  const { kind } = vm.operation;
  if (kind === 'stop' || kind === 'destroy') {
    throw new IllegalStateError('not-cancellable', `a ${kind} cannot be cancelled`);
  }
  const undo = { operationId: undoOperationId, vmId, at, epoch: vm.epoch + 1 };
  return [
    ...dropPlans(vm, data),
    { type: 'OperationCancelled', data: { operationId, vmId, at, kind } },
    // What was half done is undone: a creation leaves nothing behind, a start ends in a stopped VM.
    kind === 'create' ? { type: 'VmDestroyRequested', data: undo } : { type: 'VmStopRequested', data: undo },
  ];
};

/** A restart stops the VM first: one that did not succeed has ended the commands in it all the same. */
const endedBySetback = (vm: Vm, kind: OperationKind, data: { vmId: string; at: string }): VmEvent[] => [
  ...(kind === 'exec' || kind === 'access' ? [] : dropPlans(vm, data)),
  ...(kind === 'restart' ? endBeside(vm, data) : []),
];

/** Whatever root in the VM does: bytes on the host's disk are what counts. */
const recordDiskUse = (vm: Vm, data: RecordDiskUse['data']): VmEvent[] => {
  if (vm.status !== 'running' || vm.epoch !== data.epoch || vm.limits === null) return [];
  const { vmId, at, usedBytes, complete, operationId } = data;
  const share = usedBytes / vm.limits.diskBytes;
  const cleaning = vm.upSince !== null && Date.parse(at) - Date.parse(vm.upSince) < cleanUpTime;
  if (share >= diskShares.stopped && !cleaning) {
    const order: Order = { reason: 'disk-full', by: null, note: null, batchId: null, usedBytes };
    return [{ type: 'VmStopRequested', data: { operationId, vmId, at, epoch: vm.epoch + 1, order } }];
  }
  if (share >= diskShares.warned && !vm.diskLow)
    return [{ type: 'VmDiskRanLow', data: { vmId, usedBytes, at } }];
  // What was not counted to its end may be more.
  const eased = share < diskShares.eased && vm.diskLow && complete;
  return eased ? [{ type: 'VmDiskEased', data: { vmId, usedBytes, at } }] : [];
};

/** Its owner need not hear of every process that memory ran out for. Milliseconds. */
const outOfMemoryQuiet = 10 * 60_000;

export const decide = ({ type, data }: VmCommand, vm: Vm): VmEvent[] => {
  const epoch = vm.epoch + 1;
  switch (type) {
    case 'RequestVm':
      requireStatus(vm, 'none');
      return [{ type: 'VmRequested', data: { ...data, epoch } }];
    case 'StartVm':
      requireStatus(vm, 'stopped');
      return [{ type: 'VmStartRequested', data: { ...data, epoch } }];
    case 'RestartVm':
      requireStatus(vm, 'running', 'stopped');
      requireNew(vm, data.operationId);
      return [...endUpdates(vm, data), { type: 'VmRestartRequested', data: { ...data, epoch } }];
    case 'StopVm':
      requireStatus(vm, 'running');
      requireNew(vm, data.operationId);
      return [{ type: 'VmStopRequested', data: { ...data, epoch } }];
    case 'DestroyVm':
      if (vm.status === 'none' || vm.status === 'destroying' || vm.status === 'destroyed') refuse(vm);
      requireNew(vm, data.operationId);
      return [...cancelEverything(vm, data), { type: 'VmDestroyRequested', data: { ...data, epoch } }];
    case 'OrderStop':
      requireNew(vm, data.operationId);
      return orderStop(vm, data);
    case 'OrderStart':
      requireNew(vm, data.operationId);
      return orderStart(vm, data);
    case 'ChangePassword':
      requireStatus(vm, 'running', 'stopped');
      requireNew(vm, data.operationId);
      return vm.status === 'running'
        ? [{ type: 'AccessUpdateRequested', data: { ...data, cause: 'password' } }]
        : [{ type: 'VmPasswordChanged', data }];
    case 'UpdateKeys':
      requireNew(vm, data.operationId);
      return updateKeys(vm, data);
    case 'RequestExec':
      requireStatus(vm, 'running');
      requireNew(vm, data.operationId);
      return [{ type: 'ExecRequested', data }];
    case 'CancelOperation':
      return cancel(vm, data);
    case 'RecordCreated':
      return isInFlight(vm, data.operationId, 'create')
        ? [{ type: 'VmCreated', data }, ...onceUp(vm, data)]
        : [];
    case 'RecordStarted':
      return isInFlight(vm, data.operationId, 'start')
        ? [{ type: 'VmStarted', data }, ...onceUp(vm, data)]
        : [];
    case 'RecordRestarted':
      return isInFlight(vm, data.operationId, 'restart')
        ? [...endBeside(vm, data), { type: 'VmRestarted', data }, ...onceUp(vm, data)]
        : [];
    case 'RecordStopped':
      return isInFlight(vm, data.operationId, 'stop')
        ? [...endBeside(vm, data), { type: 'VmStopped', data }, ...onceDown(vm, data)]
        : [];
    case 'RecordAccessUpdated': {
      const cause = vm.updates[data.operationId];
      return cause === undefined ? [] : [{ type: 'AccessUpdated', data: { ...data, cause } }];
    }
    case 'RecordDestroyed':
      return isInFlight(vm, data.operationId, 'destroy') ? [{ type: 'VmDestroyed', data }] : [];
    case 'RecordExecFinished':
      return Object.hasOwn(vm.execs, data.operationId) ? [{ type: 'ExecFinished', data }] : [];
    case 'RecordFailed': {
      const { operationId, vmId, at, reason } = data;
      const kind = kindOf(vm, operationId);
      if (kind === undefined) return [];
      const failed: VmEvent = { type: 'OperationFailed', data: { operationId, vmId, at, kind, reason } };
      const gone =
        reason.code === 'container-vanished' && (kind === 'start' || kind === 'restart' || kind === 'stop');
      return gone
        ? [...dropPlans(vm, data), ...endBeside(vm, data), failed, { type: 'VmLost', data: { vmId, at } }]
        : [...endedBySetback(vm, kind, data), failed];
    }
    case 'RecordCancelled': {
      const { operationId, vmId, at } = data;
      // Only a command of /exec ends by a worker's word; a lifecycle operation was cancelled by an event before.
      return Object.hasOwn(vm.execs, operationId)
        ? [{ type: 'OperationCancelled', data: { operationId, vmId, at, kind: 'exec' } }]
        : [];
    }
    case 'RecordTimedOut': {
      const { operationId, vmId, at } = data;
      const kind = kindOf(vm, operationId);
      if (kind === undefined) return [];
      return [
        ...endedBySetback(vm, kind, data),
        { type: 'OperationTimedOut', data: { operationId, vmId, at, kind } },
      ];
    }
    case 'ReassignPort':
      return isInFlight(vm, data.operationId, 'create')
        ? [{ type: 'VmPortReassigned', data: { ...data, epoch } }]
        : [];
    case 'RecordExited': {
      if (vm.status !== 'running' || vm.epoch !== data.epoch) return [];
      const { vmId, at, cause, exitCode, operationId } = data;
      const order: Order = { reason: 'host-restarted', by: null, note: null, batchId: null };
      return [
        ...endBeside(vm, data),
        { type: 'VmExited', data: { vmId, at, cause, exitCode } },
        // Nobody wanted it stopped: what ran before the host went down runs again.
        ...(cause === 'host-restarted'
          ? [{ type: 'VmStartRequested' as const, data: { operationId, vmId, at, epoch, order } }]
          : []),
      ];
    }
    case 'RecordFoundRunning': {
      if (vm.status !== 'stopped' || vm.epoch !== data.epoch) return [];
      const { vmId, at, operationId } = data;
      const order: Order = { reason: 'found-running', by: null, note: null, batchId: null };
      return [{ type: 'VmStopRequested', data: { operationId, vmId, at, epoch, order } }];
    }
    case 'RecordVanished': {
      if ((vm.status !== 'running' && vm.status !== 'stopped') || vm.epoch !== data.epoch) return [];
      const { vmId, at } = data;
      return [...endBeside(vm, data), { type: 'VmLost', data: { vmId, at } }];
    }
    case 'RecordDiskUse':
      requireNew(vm, data.operationId);
      return recordDiskUse(vm, data);
    case 'RecordOutOfMemory': {
      const last = vm.outOfMemoryAt === null ? Number.NEGATIVE_INFINITY : Date.parse(vm.outOfMemoryAt);
      const told = Date.parse(data.at) - last < outOfMemoryQuiet;
      return vm.status !== 'running' || told ? [] : [{ type: 'VmRanOutOfMemory', data }];
    }
  }
};

export const vm: Decider<Vm, VmCommand, VmEvent> = { initialState, decide, evolve };

export const vmStream = (vmId: string): string => `vm-${vmId}`;
