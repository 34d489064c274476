import type { Message } from '../decider.ts';
import type { Failure } from './failure.ts';
import type { VmLimits } from './limits.ts';

/**
 * Glossary.
 * VM — a person's development machine: one container and one volume on one host.
 * operation — one piece of slow work for a VM, from its request to exactly one end. Lifecycle operations
 *   (create, start, restart, stop, destroy) come one at a time; `exec` runs beside them.
 * epoch — grows with every lifecycle operation of a VM; a worker with an older one must touch nothing.
 *
 * Times are ISO strings: events live as JSON.
 */

export type LifecycleKind = 'create' | 'start' | 'restart' | 'stop' | 'destroy';
export type OperationKind = LifecycleKind | 'exec';

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

export type VmStartRequested = Message<'VmStartRequested', LifecycleRequest>;
export type VmStarted = Message<'VmStarted', Outcome>;
export type VmRestartRequested = Message<'VmRestartRequested', LifecycleRequest>;
export type VmRestarted = Message<'VmRestarted', Outcome>;
export type VmStopRequested = Message<'VmStopRequested', LifecycleRequest>;
export type VmStopped = Message<'VmStopped', Outcome>;
export type VmDestroyRequested = Message<'VmDestroyRequested', LifecycleRequest>;
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

/** The other ends an operation can have. `OperationTimedOut`: neither worker nor command ended in time. */
export type OperationFailed = Message<'OperationFailed', Outcome & { kind: OperationKind; reason: Failure }>;
export type OperationCancelled = Message<'OperationCancelled', Outcome & { kind: OperationKind }>;
export type OperationTimedOut = Message<'OperationTimedOut', Outcome & { kind: OperationKind }>;

export type ExitCause = 'out-of-memory' | 'killed' | 'exited';
/** The VM stopped without anybody asking for it. */
export type VmExited = Message<'VmExited', { vmId: string; cause: ExitCause; exitCode: number; at: string }>;
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
  | ExecRequested
  | ExecCancelRequested
  | ExecFinished
  | OperationFailed
  | OperationCancelled
  | OperationTimedOut
  | VmExited
  | VmLost;
