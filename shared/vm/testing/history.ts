import type { VmCommand } from '../commands.ts';
import type { ExitCause, LifecycleKind, OperationKind, Order, VmEvent } from '../events.ts';
import type { Failure } from '../failure.ts';
import { GIB } from '../limits.ts';

/**
 * A VM's history and the commands to it, in few words. `now` is the lifecycle operation that is or was the newest,
 * `x` a command of /exec.
 */

export const at = '2026-01-01T00:00:00.000Z';
export const vmId = 'k3j9x2a1';
export const ids = (operationId: string) => ({ operationId, vmId, at });

const request = {
  owner: 42,
  name: 'box',
  host: 'local',
  limits: { memoryBytes: 2 * GIB, cpus: 1, diskBytes: 100 * GIB, gpu: false, sudo: true },
  plan: 'Basic',
  sshPort: 22_000,
};
const container = { containerId: 'c0ffee', hostKeyFingerprint: 'SHA256:abc' };
const execResult = { exitCode: 0, durationMs: 12, outputBytes: 3, truncated: false };
export const refusedByDocker: Failure = { code: 'docker-refused', detail: 'no space' };

export const orderOf = (reason: Order['reason'], batchId = 'batch'): Order => ({
  reason,
  by: 1,
  note: null,
  batchId,
});
export const maintenance = orderOf('maintenance');

export const happened = {
  requested: (epoch = 1, id = 'now'): VmEvent => ({
    type: 'VmRequested',
    data: { ...ids(id), epoch, ...request },
  }),
  portReassigned: (epoch: number, sshPort: number): VmEvent => ({
    type: 'VmPortReassigned',
    data: { ...ids('now'), epoch, sshPort },
  }),
  created: (id = 'now'): VmEvent => ({ type: 'VmCreated', data: { ...ids(id), ...container } }),
  startRequested: (epoch: number, id = 'now', order?: Order): VmEvent => ({
    type: 'VmStartRequested',
    data: { ...ids(id), epoch, ...(order && { order }) },
  }),
  started: (): VmEvent => ({ type: 'VmStarted', data: ids('now') }),
  restartRequested: (epoch: number): VmEvent => ({
    type: 'VmRestartRequested',
    data: { ...ids('now'), epoch },
  }),
  restarted: (): VmEvent => ({ type: 'VmRestarted', data: ids('now') }),
  stopRequested: (epoch: number, id = 'now', order?: Order): VmEvent => ({
    type: 'VmStopRequested',
    data: { ...ids(id), epoch, ...(order && { order }) },
  }),
  stopped: (): VmEvent => ({ type: 'VmStopped', data: ids('now') }),
  destroyRequested: (epoch: number, id = 'now'): VmEvent => ({
    type: 'VmDestroyRequested',
    data: { ...ids(id), epoch },
  }),
  destroyed: (): VmEvent => ({ type: 'VmDestroyed', data: ids('now') }),
  execRequested: (id = 'x'): VmEvent => ({ type: 'ExecRequested', data: { ...ids(id), timeoutSeconds: 60 } }),
  execCancelRequested: (id = 'x'): VmEvent => ({ type: 'ExecCancelRequested', data: ids(id) }),
  execFinished: (id = 'x'): VmEvent => ({ type: 'ExecFinished', data: { ...ids(id), ...execResult } }),
  failed: (kind: LifecycleKind, reason = refusedByDocker): VmEvent => ({
    type: 'OperationFailed',
    data: { ...ids('now'), kind, reason },
  }),
  /** A command that ended because its VM did. */
  execEnded: (id = 'x'): VmEvent => ({
    type: 'OperationFailed',
    data: { ...ids(id), kind: 'exec', reason: { code: 'vm-not-running', detail: '' } },
  }),
  cancelled: (kind: OperationKind, id = 'now'): VmEvent => ({
    type: 'OperationCancelled',
    data: { ...ids(id), kind },
  }),
  timedOut: (kind: OperationKind, id = 'now'): VmEvent => ({
    type: 'OperationTimedOut',
    data: { ...ids(id), kind },
  }),
  stopPlanned: (order: Order, id = 'now'): VmEvent => ({
    type: 'VmStopPlanned',
    data: { ...ids(id), order },
  }),
  startPlanned: (order: Order, id = 'now'): VmEvent => ({
    type: 'VmStartPlanned',
    data: { ...ids(id), order },
  }),
  planDropped: (order = maintenance): VmEvent => ({ type: 'VmPlanDropped', data: { vmId, at, order } }),
  leftStopped: (order: Order): VmEvent => ({ type: 'VmLeftStopped', data: { vmId, at, order } }),
  accessRequested: (id = 'u', cause: 'password' | 'keys' = 'keys'): VmEvent => ({
    type: 'AccessUpdateRequested',
    data: { ...ids(id), cause },
  }),
  accessPlanned: (id: string): VmEvent => ({
    type: 'AccessUpdatePlanned',
    data: { ...ids(id), cause: 'keys' },
  }),
  accessUpdated: (id = 'u', cause: 'password' | 'keys' = 'keys'): VmEvent => ({
    type: 'AccessUpdated',
    data: { ...ids(id), cause },
  }),
  accessEnded: (id = 'u'): VmEvent => ({
    type: 'OperationFailed',
    data: { ...ids(id), kind: 'access', reason: { code: 'vm-not-running', detail: '' } },
  }),
  exited: (cause: ExitCause = 'exited'): VmEvent => ({
    type: 'VmExited',
    data: { vmId, cause, exitCode: 0, at },
  }),
  diskRanLow: (share: number, when = at): VmEvent => ({
    type: 'VmDiskRanLow',
    data: { vmId, at: when, usedBytes: share * request.limits.diskBytes },
  }),
  diskEased: (share: number, when = at): VmEvent => ({
    type: 'VmDiskEased',
    data: { vmId, at: when, usedBytes: share * request.limits.diskBytes },
  }),
  lost: (): VmEvent => ({ type: 'VmLost', data: { vmId, at } }),
};

/** `share` of its limit. */
type DiskUse = { epoch?: number; share?: number; when?: string | undefined; complete?: boolean };

export const command = {
  RequestVm: (id: string): VmCommand => ({ type: 'RequestVm', data: { ...ids(id), ...request } }),
  StartVm: (id: string): VmCommand => ({ type: 'StartVm', data: ids(id) }),
  RestartVm: (id: string): VmCommand => ({ type: 'RestartVm', data: ids(id) }),
  StopVm: (id: string): VmCommand => ({ type: 'StopVm', data: ids(id) }),
  DestroyVm: (id: string): VmCommand => ({ type: 'DestroyVm', data: ids(id) }),
  RequestExec: (id: string): VmCommand => ({ type: 'RequestExec', data: { ...ids(id), timeoutSeconds: 60 } }),
  CancelOperation: (id: string, undoOperationId = 'undo'): VmCommand => ({
    type: 'CancelOperation',
    data: { ...ids(id), undoOperationId },
  }),
  RecordCreated: (id: string): VmCommand => ({ type: 'RecordCreated', data: { ...ids(id), ...container } }),
  RecordStarted: (id: string): VmCommand => ({ type: 'RecordStarted', data: ids(id) }),
  RecordRestarted: (id: string): VmCommand => ({ type: 'RecordRestarted', data: ids(id) }),
  RecordStopped: (id: string): VmCommand => ({ type: 'RecordStopped', data: ids(id) }),
  RecordDestroyed: (id: string): VmCommand => ({ type: 'RecordDestroyed', data: ids(id) }),
  RecordExecFinished: (id: string): VmCommand => ({
    type: 'RecordExecFinished',
    data: { ...ids(id), ...execResult },
  }),
  RecordFailed: (id: string, reason = refusedByDocker): VmCommand => ({
    type: 'RecordFailed',
    data: { ...ids(id), reason },
  }),
  RecordCancelled: (id: string): VmCommand => ({ type: 'RecordCancelled', data: ids(id) }),
  RecordTimedOut: (id: string): VmCommand => ({ type: 'RecordTimedOut', data: ids(id) }),
  ReassignPort: (id: string, sshPort = 22_001): VmCommand => ({
    type: 'ReassignPort',
    data: { ...ids(id), sshPort },
  }),
  OrderStop: (id: string, order = maintenance): VmCommand => ({
    type: 'OrderStop',
    data: { ...ids(id), order },
  }),
  OrderStart: (id: string, order = maintenance): VmCommand => ({
    type: 'OrderStart',
    data: { ...ids(id), order },
  }),
  ChangePassword: (id: string): VmCommand => ({ type: 'ChangePassword', data: ids(id) }),
  UpdateKeys: (id: string): VmCommand => ({ type: 'UpdateKeys', data: ids(id) }),
  RecordAccessUpdated: (id: string): VmCommand => ({ type: 'RecordAccessUpdated', data: ids(id) }),
  RecordExited: (id: string, epoch = 1, cause: ExitCause = 'exited'): VmCommand => ({
    type: 'RecordExited',
    data: { vmId, epoch, cause, exitCode: 0, operationId: id, at },
  }),
  RecordFoundRunning: (id: string, epoch = 1): VmCommand => ({
    type: 'RecordFoundRunning',
    data: { vmId, epoch, at, operationId: id },
  }),
  RecordVanished: (_id: string, epoch = 1): VmCommand => ({
    type: 'RecordVanished',
    data: { vmId, epoch, at },
  }),
  RecordDiskUse: (id: string, seen: DiskUse = {}): VmCommand => {
    const { epoch = 1, share = 1.2, when = at, complete = true } = seen;
    const usedBytes = share * request.limits.diskBytes;
    const data = { vmId, epoch, at: when, operationId: id, complete, usedBytes };
    return { type: 'RecordDiskUse', data };
  },
  RecordOutOfMemory: (_id: string, when = at): VmCommand => ({
    type: 'RecordOutOfMemory',
    data: { vmId, at: when },
  }),
} satisfies { [Type in VmCommand['type']]: (id: string, ...rest: never[]) => VmCommand };
