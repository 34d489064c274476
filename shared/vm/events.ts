import type { Message } from '../decider.ts';
import type { Failure } from './failure.ts';
import type { VmLimits } from './limits.ts';

/**
 * Glossary.
 * VM — a person's development machine: one container and one volume on one host.
 * operation — one piece of slow work for a VM, from its request to exactly one end. Lifecycle operations
 *   (create, start, restart, stop, destroy) come one at a time; `exec` runs beside them.
 * epoch — grows with every lifecycle operation of a VM; a worker with an older one must touch nothing.
 * order — why an operation was begun that the VM's owner did not ask for, and by whom.
 * plan — what follows by itself as soon as the operation in flight has succeeded; it ends with it otherwise.
 * access — the password and the keys that open a VM.
 *
 * Times are ISO strings: events live as JSON.
 */

export type LifecycleKind = 'create' | 'start' | 'restart' | 'stop' | 'destroy';
/** Operations that run beside others, as many as people like. */
export type BesideKind = 'exec' | 'access';
export type OperationKind = LifecycleKind | BesideKind;

/** `found-running`: somebody started it on the host, past Berth. `disk-full`: it used far more disk than it may. */
export type OrderReason =
  | 'maintenance'
  | 'administrator'
  | 'user-removed'
  | 'host-restarted'
  | 'found-running'
  | 'disk-full';
export type Order = {
  reason: OrderReason;
  /** Telegram id of the administrator; null where nobody ordered it. */
  by: number | null;
  /** What the administrator gave as the reason. */
  note: string | null;
  /** Orders given in one go, to be counted together; null for one that stands alone. */
  batchId: string | null;
  /** Of `disk-full`: the bytes that the VM used. */
  usedBytes?: number;
};

type LifecycleRequest = { operationId: string; vmId: string; epoch: number; at: string };
type Outcome = { operationId: string; vmId: string; at: string };

export type VmRequested = Message<
  'VmRequested',
  LifecycleRequest & {
    owner: number;
    name: string;
    host: string;
    limits: VmLimits;
    /** The plan's name at that time; null where the global defaults applied. */
    plan: string | null;
    sshPort: number;
  }
>;
/** The port was in use by something else on the host; creation goes on with another one. */
export type VmPortReassigned = Message<'VmPortReassigned', LifecycleRequest & { sshPort: number }>;
export type VmCreated = Message<'VmCreated', Outcome & { containerId: string; hostKeyFingerprint: string }>;

export type VmStartRequested = Message<'VmStartRequested', LifecycleRequest & { order?: Order }>;
export type VmStarted = Message<'VmStarted', Outcome>;
export type VmRestartRequested = Message<'VmRestartRequested', LifecycleRequest>;
export type VmRestarted = Message<'VmRestarted', Outcome>;
export type VmStopRequested = Message<'VmStopRequested', LifecycleRequest & { order?: Order }>;
export type VmStopped = Message<'VmStopped', Outcome>;
export type VmDestroyRequested = Message<'VmDestroyRequested', LifecycleRequest & { order?: Order }>;
export type VmDestroyed = Message<'VmDestroyed', Outcome>;

export type ExecRequested = Message<
  'ExecRequested',
  { operationId: string; vmId: string; timeoutSeconds: number; at: string }
>;
export type ExecCancelRequested = Message<'ExecCancelRequested', Outcome>;
export type ExecFinished = Message<
  'ExecFinished',
  Outcome & { exitCode: number; durationMs: number; outputBytes: number; truncated: boolean }
>;

type Planned = { operationId: string; vmId: string; at: string; order: Order };
/** It is on its way up, and stops as soon as it is there. */
export type VmStopPlanned = Message<'VmStopPlanned', Planned>;
/** It is on its way down, and starts as soon as it is there. */
export type VmStartPlanned = Message<'VmStartPlanned', Planned>;
/** What was planned shall not be, or can no longer be. */
export type VmPlanDropped = Message<'VmPlanDropped', { vmId: string; at: string; order: Order }>;
/** Maintenance stopped it, and its end shall not start it. */
export type VmLeftStopped = Message<'VmLeftStopped', { vmId: string; at: string; order: Order }>;

export type AccessCause = 'password' | 'keys';
export type AccessUpdateRequested = Message<'AccessUpdateRequested', Outcome & { cause: AccessCause }>;
/** The VM is on its way up with what held when that began. */
export type AccessUpdatePlanned = Message<'AccessUpdatePlanned', Outcome & { cause: AccessCause }>;
export type AccessUpdated = Message<'AccessUpdated', Outcome & { cause: AccessCause }>;
/** A stopped VM has a new password from its next start on. */
export type VmPasswordChanged = Message<'VmPasswordChanged', Outcome>;

/** The other ends an operation can have. `OperationTimedOut`: neither worker nor command ended in time. */
export type OperationFailed = Message<'OperationFailed', Outcome & { kind: OperationKind; reason: Failure }>;
export type OperationCancelled = Message<'OperationCancelled', Outcome & { kind: OperationKind }>;
export type OperationTimedOut = Message<'OperationTimedOut', Outcome & { kind: OperationKind }>;

export type ExitCause = 'out-of-memory' | 'killed' | 'exited' | 'host-restarted';
/** The VM stopped without anybody asking for it. */
export type VmExited = Message<'VmExited', { vmId: string; cause: ExitCause; exitCode: number; at: string }>;
/** The kernel ended a process in the VM for want of memory; the VM itself goes on. */
export type VmRanOutOfMemory = Message<'VmRanOutOfMemory', { vmId: string; at: string }>;
/** It uses most of its disk, or more than that. */
export type VmDiskRanLow = Message<'VmDiskRanLow', { vmId: string; usedBytes: number; at: string }>;
/** It has room again: the next time its owner is warned anew. */
export type VmDiskEased = Message<'VmDiskEased', { vmId: string; usedBytes: number; at: string }>;
/** The container is gone; the volume may still be there until the VM is destroyed. */
export type VmLost = Message<'VmLost', { vmId: string; at: string }>;

export type VmEvent =
  | VmRequested
  | VmPortReassigned
  | VmCreated
  | VmStartRequested
  | VmStarted
  | VmRestartRequested
  | VmRestarted
  | VmStopRequested
  | VmStopped
  | VmDestroyRequested
  | VmDestroyed
  | VmStopPlanned
  | VmStartPlanned
  | VmPlanDropped
  | VmLeftStopped
  | AccessUpdateRequested
  | AccessUpdatePlanned
  | AccessUpdated
  | VmPasswordChanged
  | ExecRequested
  | ExecCancelRequested
  | ExecFinished
  | OperationFailed
  | OperationCancelled
  | OperationTimedOut
  | VmExited
  | VmRanOutOfMemory
  | VmDiskRanLow
  | VmDiskEased
  | VmLost;
