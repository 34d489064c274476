import type { Message } from '../decider.ts';
import type { ExecFinished, ExitCause, VmCreated, VmRequested } from './events.ts';
import type { Failure } from './failure.ts';

/** What people (and the rules acting for them) ask of a VM. The first group may be refused. */
type Request = { operationId: string; vmId: string; at: string };

export type RequestVm = Message<'RequestVm', Omit<VmRequested['data'], 'epoch'>>;
export type StartVm = Message<'StartVm', Request>;
export type RestartVm = Message<'RestartVm', Request>;
export type StopVm = Message<'StopVm', Request>;
export type DestroyVm = Message<'DestroyVm', Request>;
export type RequestExec = Message<'RequestExec', Request & { timeoutSeconds: number }>;
/** Undoing a half-done operation is an operation of its own: `undoOperationId` names it. */
export type CancelOperation = Message<'CancelOperation', Request & { undoOperationId: string }>;

/**
 * Outcomes are delivered at least once, late, or after another operation has begun: one that no longer
 * fits yields no event and is no error.
 */
export type RecordCreated = Message<'RecordCreated', VmCreated['data']>;
export type RecordStarted = Message<'RecordStarted', Request>;
export type RecordRestarted = Message<'RecordRestarted', Request>;
export type RecordStopped = Message<'RecordStopped', Request>;
export type RecordDestroyed = Message<'RecordDestroyed', Request>;
export type RecordExecFinished = Message<'RecordExecFinished', ExecFinished['data']>;
export type RecordFailed = Message<'RecordFailed', Request & { reason: Failure }>;
export type RecordCancelled = Message<'RecordCancelled', Request>;
export type RecordTimedOut = Message<'RecordTimedOut', Request>;
/** Creation found its SSH port taken; `sshPort` is the next one to try. */
export type ReassignPort = Message<'ReassignPort', Request & { sshPort: number }>;
export type RecordExited = Message<
  'RecordExited',
  { vmId: string; cause: ExitCause; exitCode: number; at: string }
>;
export type RecordVanished = Message<'RecordVanished', { vmId: string; at: string }>;

export type VmCommand =
  | RequestVm
  | StartVm
  | RestartVm
  | StopVm
  | DestroyVm
  | RequestExec
  | CancelOperation
  | RecordCreated
  | RecordStarted
  | RecordRestarted
  | RecordStopped
  | RecordDestroyed
  | RecordExecFinished
  | RecordFailed
  | RecordCancelled
  | RecordTimedOut
  | ReassignPort
  | RecordExited
  | RecordVanished;
