import type { Message } from '../decider.ts';
import type { ExecFinished, ExitCause, Order, VmCreated, VmRequested } from './events.ts';
import type { Failure } from './failure.ts';

/** What people (and the rules acting for them) ask of a VM. The first group may be refused. */
type Request = { operationId: string; vmId: string; at: string };

export type RequestVm = Message<'RequestVm', Omit<VmRequested['data'], 'epoch'>>;
export type StartVm = Message<'StartVm', Request>;
export type RestartVm = Message<'RestartVm', Request>;
export type StopVm = Message<'StopVm', Request>;
export type DestroyVm = Message<'DestroyVm', Request & { order?: Order }>;
/**
 * Somebody else than the owner wants it stopped, or what maintenance stopped started again. Never refused: it yields what
 * the VM's state leaves to do, now or as a plan.
 */
export type OrderStop = Message<'OrderStop', Request & { order: Order }>;
export type OrderStart = Message<'OrderStart', Request & { order: Order }>;
export type ChangePassword = Message<'ChangePassword', Request>;
/** The owner's keys have changed. Never refused: a VM that does not run gets them when it starts. */
export type UpdateKeys = Message<'UpdateKeys', Request>;
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
export type RecordAccessUpdated = Message<'RecordAccessUpdated', Request>;
export type RecordExecFinished = Message<'RecordExecFinished', ExecFinished['data']>;
export type RecordFailed = Message<'RecordFailed', Request & { reason: Failure }>;
export type RecordCancelled = Message<'RecordCancelled', Request>;
export type RecordTimedOut = Message<'RecordTimedOut', Request>;
/** Creation found its SSH port taken; `sshPort` is the next one to try. */
export type ReassignPort = Message<'ReassignPort', Request & { sshPort: number }>;
/**
 * What was seen on the host, by somebody who looked when the VM's epoch was this one. A VM that ended with its host starts
 * again under `operationId`.
 */
type Seen = { vmId: string; epoch: number; at: string };
export type RecordExited = Message<
  'RecordExited',
  Seen & { cause: ExitCause; exitCode: number; operationId: string }
>;
/** A VM that is stopped as far as Berth knows runs on the host: it is stopped, under `operationId`. */
export type RecordFoundRunning = Message<'RecordFoundRunning', Seen & { operationId: string }>;
export type RecordVanished = Message<'RecordVanished', Seen>;
/** `complete`: false where it uses that much at least. It is stopped under `operationId`, if need be. */
export type RecordDiskUse = Message<
  'RecordDiskUse',
  Seen & { usedBytes: number; complete: boolean; operationId: string }
>;
export type RecordOutOfMemory = Message<'RecordOutOfMemory', { vmId: string; at: string }>;

export type VmCommand =
  | RequestVm
  | StartVm
  | RestartVm
  | StopVm
  | DestroyVm
  | OrderStop
  | OrderStart
  | ChangePassword
  | UpdateKeys
  | RequestExec
  | CancelOperation
  | RecordCreated
  | RecordStarted
  | RecordRestarted
  | RecordStopped
  | RecordDestroyed
  | RecordAccessUpdated
  | RecordExecFinished
  | RecordFailed
  | RecordCancelled
  | RecordTimedOut
  | ReassignPort
  | RecordExited
  | RecordFoundRunning
  | RecordVanished
  | RecordDiskUse
  | RecordOutOfMemory;
