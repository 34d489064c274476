import type { AccessCause, LifecycleKind, Order, VmEvent } from './events.ts';
import type { VmLimits } from './limits.ts';

export type VmStatus =
  | 'none'
  | 'creating'
  | 'starting'
  | 'running'
  | 'stopping'
  | 'stopped'
  | 'destroying'
  | 'destroyed'
  | 'failed'
  | 'lost';

export type ExecState = 'running' | 'cancelling';

export type Plan = Readonly<{ operationId: string; order: Order }>;
export type Plans = Readonly<{
  stop: Plan | null;
  start: Plan | null;
  access: Readonly<{ operationId: string; cause: AccessCause }> | null;
}>;

export type Vm = Readonly<{
  status: VmStatus;
  epoch: number;
  /** The one lifecycle operation in flight. */
  operation: Readonly<{ id: string; kind: LifecycleKind }> | null;
  execs: Readonly<Record<string, ExecState>>;
  /** Changes of password or keys on their way into the VM. */
  updates: Readonly<Record<string, AccessCause>>;
  planned: Plans;
  /** Maintenance stopped it, and starts it again when it ends. */
  paused: boolean;
  /** When its owner was last told that it ran out of memory. */
  outOfMemoryAt: string | null;
  /** Its owner was told that its disk is nearly full, or why it was stopped for that. */
  diskLow: boolean;
  /** Since when it runs; of one that is down, when it came up last. */
  upSince: string | null;
  owner: number;
  name: string;
  host: string;
  limits: VmLimits | null;
  sshPort: number;
}>;

const nothingPlanned: Plans = { stop: null, start: null, access: null };

export const initialState: Vm = {
  status: 'none',
  epoch: 0,
  operation: null,
  execs: {},
  updates: {},
  planned: nothingPlanned,
  paused: false,
  outOfMemoryAt: null,
  diskLow: false,
  upSince: null,
  owner: 0,
  name: '',
  host: '',
  limits: null,
  sshPort: 0,
};

const begun = (
  vm: Vm,
  status: VmStatus,
  kind: LifecycleKind,
  { operationId, epoch }: { operationId: string; epoch: number },
): Vm => ({
  ...vm,
  status,
  epoch,
  operation: { id: operationId, kind },
  planned: nothingPlanned,
  paused: false,
});

const settled = (vm: Vm, status: VmStatus): Vm => ({
  ...vm,
  status,
  operation: null,
  planned: nothingPlanned,
  // Only a VM that is down can be started again when maintenance ends.
  paused: status === 'stopped' && vm.paused,
});

const planning = (vm: Vm, plans: Partial<Plans>): Vm => ({ ...vm, planned: { ...vm.planned, ...plans } });

const withoutExec = (vm: Vm, operationId: string): Vm => {
  const { [operationId]: _ended, ...execs } = vm.execs;
  return { ...vm, execs };
};

const withoutUpdate = (vm: Vm, operationId: string): Vm => {
  const { [operationId]: _ended, ...updates } = vm.updates;
  return { ...vm, updates };
};

/** Where a VM stands after a lifecycle operation that did not succeed. */
const afterSetback: Record<LifecycleKind, VmStatus> = {
  create: 'failed',
  start: 'stopped',
  restart: 'stopped',
  stop: 'running',
  destroy: 'failed',
};

export const evolve = (vm: Vm, { type, data }: VmEvent): Vm => {
  switch (type) {
    case 'VmRequested': {
      const { owner, name, host, limits, sshPort } = data;
      return { ...begun(vm, 'creating', 'create', data), owner, name, host, limits, sshPort };
    }
    case 'VmPortReassigned':
      // The same creation goes on, and what was planned for its end with it.
      return { ...begun(vm, 'creating', 'create', data), sshPort: data.sshPort, planned: vm.planned };
    case 'VmStartRequested':
      return begun(vm, 'starting', 'start', data);
    case 'VmRestartRequested':
      return begun(vm, 'starting', 'restart', data);
    case 'VmStopRequested': {
      const { order } = data;
      // Stopped once more, for the same reason as before.
      const paused = order?.reason === 'found-running' ? vm.paused : order?.reason === 'maintenance';
      const diskLow = vm.diskLow || order?.reason === 'disk-full';
      return { ...begun(vm, 'stopping', 'stop', data), paused, diskLow };
    }
    case 'VmDestroyRequested':
      return begun(vm, 'destroying', 'destroy', data);
    case 'VmCreated':
    case 'VmStarted':
    case 'VmRestarted':
      return { ...settled(vm, 'running'), upSince: data.at };
    case 'VmStopped':
    case 'VmExited':
      return settled(vm, 'stopped');
    case 'VmDestroyed':
      return settled(vm, 'destroyed');
    case 'VmLost':
      return settled(vm, 'lost');
    case 'VmStopPlanned':
      return planning(vm, { stop: { operationId: data.operationId, order: data.order } });
    case 'VmStartPlanned':
      return planning(vm, { start: { operationId: data.operationId, order: data.order } });
    case 'VmPlanDropped':
      return planning(vm, { stop: null, start: null });
    case 'VmLeftStopped':
      return { ...planning(vm, { start: null }), paused: false };
    case 'AccessUpdatePlanned':
      return planning(vm, { access: { operationId: data.operationId, cause: data.cause } });
    case 'AccessUpdateRequested':
      return { ...vm, updates: { ...vm.updates, [data.operationId]: data.cause } };
    case 'AccessUpdated':
      return withoutUpdate(vm, data.operationId);
    case 'VmPasswordChanged':
      return vm;
    case 'VmRanOutOfMemory':
      return { ...vm, outOfMemoryAt: data.at };
    case 'VmDiskRanLow':
      return { ...vm, diskLow: true };
    case 'VmDiskEased':
      return { ...vm, diskLow: false };
    case 'ExecRequested':
      return { ...vm, execs: { ...vm.execs, [data.operationId]: 'running' } };
    case 'ExecCancelRequested':
      return { ...vm, execs: { ...vm.execs, [data.operationId]: 'cancelling' } };
    case 'ExecFinished':
      return withoutExec(vm, data.operationId);
    case 'OperationFailed':
    case 'OperationCancelled':
    case 'OperationTimedOut':
      if (data.kind === 'exec') return withoutExec(vm, data.operationId);
      if (data.kind === 'access') return withoutUpdate(vm, data.operationId);
      return settled(vm, afterSetback[data.kind]);
  }
};
