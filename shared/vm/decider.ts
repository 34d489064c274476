import { type Decider, IllegalStateError } from '../decider.ts';
import type { VmCommand } from './commands.ts';
import type { LifecycleKind, OperationFailed, OperationKind, VmEvent } from './events.ts';
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
  return Object.hasOwn(vm.execs, operationId) ? 'exec' : undefined;
};

/** The VM's processes are gone, and with them whatever `/exec` still ran. */
const endExecs = (vm: Vm, { vmId, at }: { vmId: string; at: string }): OperationFailed[] =>
  Object.keys(vm.execs).map((operationId) => ({
    type: 'OperationFailed',
    data: { operationId, vmId, at, kind: 'exec', reason: { code: 'vm-not-running', detail: '' } },
  }));

const cancelEverything = (vm: Vm, { vmId, at }: { vmId: string; at: string }): VmEvent[] => [
  ...(vm.operation === null
    ? []
    : [
        {
          type: 'OperationCancelled' as const,
          data: { operationId: vm.operation.id, vmId, at, kind: vm.operation.kind },
        },
      ]),
  ...Object.keys(vm.execs).map((operationId) => ({
    type: 'OperationCancelled' as const,
    data: { operationId, vmId, at, kind: 'exec' as const },
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
    { type: 'OperationCancelled', data: { operationId, vmId, at, kind } },
    // What was half done is undone: a creation leaves nothing behind, a start ends in a stopped VM.
    kind === 'create' ? { type: 'VmDestroyRequested', data: undo } : { type: 'VmStopRequested', data: undo },
  ];
};

/** A restart stops the VM first: one that did not succeed has ended the commands in it all the same. */
const execsEndedBySetback = (
  vm: Vm,
  kind: OperationKind,
  data: { vmId: string; at: string },
): OperationFailed[] => (kind === 'restart' ? endExecs(vm, data) : []);

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
      return [{ type: 'VmRestartRequested', data: { ...data, epoch } }];
    case 'StopVm':
      requireStatus(vm, 'running');
      requireNew(vm, data.operationId);
      return [{ type: 'VmStopRequested', data: { ...data, epoch } }];
    case 'DestroyVm':
      if (vm.status === 'none' || vm.status === 'destroying' || vm.status === 'destroyed') refuse(vm);
      requireNew(vm, data.operationId);
      return [...cancelEverything(vm, data), { type: 'VmDestroyRequested', data: { ...data, epoch } }];
    case 'RequestExec':
      requireStatus(vm, 'running');
      requireNew(vm, data.operationId);
      return [{ type: 'ExecRequested', data }];
    case 'CancelOperation':
      return cancel(vm, data);
    case 'RecordCreated':
      return isInFlight(vm, data.operationId, 'create') ? [{ type: 'VmCreated', data }] : [];
    case 'RecordStarted':
      return isInFlight(vm, data.operationId, 'start') ? [{ type: 'VmStarted', data }] : [];
    case 'RecordRestarted':
      return isInFlight(vm, data.operationId, 'restart')
        ? [...endExecs(vm, data), { type: 'VmRestarted', data }]
        : [];
    case 'RecordStopped':
      return isInFlight(vm, data.operationId, 'stop')
        ? [...endExecs(vm, data), { type: 'VmStopped', data }]
        : [];
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
        ? [...endExecs(vm, data), failed, { type: 'VmLost', data: { vmId, at } }]
        : [...execsEndedBySetback(vm, kind, data), failed];
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
        ...execsEndedBySetback(vm, kind, data),
        { type: 'OperationTimedOut', data: { operationId, vmId, at, kind } },
      ];
    }
    case 'ReassignPort':
      return isInFlight(vm, data.operationId, 'create')
        ? [{ type: 'VmPortReassigned', data: { ...data, epoch } }]
        : [];
    case 'RecordExited': {
      if (vm.status !== 'running') return [];
      return [...endExecs(vm, data), { type: 'VmExited', data }];
    }
    case 'RecordVanished': {
      if (vm.status !== 'running' && vm.status !== 'stopped') return [];
      return [...endExecs(vm, data), { type: 'VmLost', data }];
    }
  }
};

export const vm: Decider<Vm, VmCommand, VmEvent> = { initialState, decide, evolve };

export const vmStream = (vmId: string): string => `vm-${vmId}`;
