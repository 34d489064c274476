import type { LifecycleKind, VmEvent } from './events.ts';
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

export type Vm = Readonly<{
  status: VmStatus;
  epoch: number;
  /** The one lifecycle operation in flight. */
  operation: Readonly<{ id: string; kind: LifecycleKind }> | null;
  execs: Readonly<Record<string, ExecState>>;
  owner: number;
  name: string;
  host: string;
  limits: VmLimits | null;
  sshPort: number;
}>;

export const initialState: Vm = {
  status: 'none',
  epoch: 0,
  operation: null,
  execs: {},
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
): Vm => ({ ...vm, status, epoch, operation: { id: operationId, kind } });

const settled = (vm: Vm, status: VmStatus): Vm => ({ ...vm, status, operation: null });

const withoutExec = (vm: Vm, operationId: string): Vm => {
  const { [operationId]: _ended, ...execs } = vm.execs;
  return { ...vm, execs };
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
      return { ...begun(vm, 'creating', 'create', data), sshPort: data.sshPort };
    case 'VmStartRequested':
      return begun(vm, 'starting', 'start', data);
    case 'VmRestartRequested':
      return begun(vm, 'starting', 'restart', data);
    case 'VmStopRequested':
      return begun(vm, 'stopping', 'stop', data);
    case 'VmDestroyRequested':
      return begun(vm, 'destroying', 'destroy', data);
    case 'VmCreated':
    case 'VmStarted':
    case 'VmRestarted':
      return settled(vm, 'running');
    case 'VmStopped':
    case 'VmExited':
      return settled(vm, 'stopped');
    case 'VmDestroyed':
      return settled(vm, 'destroyed');
    case 'VmLost':
      return settled(vm, 'lost');
    case 'ExecRequested':
      return { ...vm, execs: { ...vm.execs, [data.operationId]: 'running' } };
    case 'ExecCancelRequested':
      return { ...vm, execs: { ...vm.execs, [data.operationId]: 'cancelling' } };
    case 'ExecFinished':
      return withoutExec(vm, data.operationId);
    case 'OperationFailed':
    case 'OperationCancelled':
    case 'OperationTimedOut':
      return data.kind === 'exec' ? withoutExec(vm, data.operationId) : settled(vm, afterSetback[data.kind]);
  }
};
