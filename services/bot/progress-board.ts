import type { Progress } from '../../queues/catalog.ts';
import type { DiskLook } from './texts/disk.ts';
import type { Figures } from './texts/vms.ts';

/**
 * What is known of work on its way and of VMs right now. It lives in memory only: after a restart the chat sees
 * a step less, never something wrong.
 */

export type OperationProgress = {
  step: Progress['step'] | null;
  detail: string | null;
  output: string | null;
  ahead: number | null;
};

const nothingKnown: OperationProgress = { step: null, detail: null, output: null, ahead: null };

/** With these an operation has ended. */
export const terminalEvents: ReadonlySet<string> = new Set([
  'VmCreated',
  'VmStarted',
  'VmRestarted',
  'VmStopped',
  'VmDestroyed',
  'AccessUpdated',
  'ExecFinished',
  'LinkOffered',
  'LinkFailed',
  'LinkTimedOut',
  'ImageBuilt',
  'ImageBuildFailed',
  'ImageBuildCancelled',
  'ImageBuildTimedOut',
  'StraysRemoved',
  'StrayRemovalFailed',
  'StrayRemovalTimedOut',
  'OperationFailed',
  'OperationCancelled',
  'OperationTimedOut',
]);

/** Figures older than this are not shown, in milliseconds. */
const figuresLifetime = 60_000;

/** A VM that is stopped keeps what it uses; of one that runs this is counted every minute. */
const disksLifetime = 24 * 3_600_000;

/** `now` in milliseconds of a clock that never jumps. */
export const createProgressBoard = (now: () => number = () => performance.now()) => {
  const operations = new Map<string, OperationProgress>();
  const builds = new Map<string, string>();
  const figures = new Map<string, { figures: Figures; at: number }>();
  const looks = new Map<string, DiskLook>();
  const disks = new Map<string, { usedBytes: number; at: number }>();

  const change = (operationId: string, changes: Partial<OperationProgress>): void => {
    operations.set(operationId, { ...(operations.get(operationId) ?? nothingKnown), ...changes });
  };

  return {
    /** Takes a worker's word; gives the operations whose message changes, all that wait for it in case of a build. */
    record(progress: Progress): string[] {
      const { operationId, step, detail, output, host } = progress;
      if (step === 'building' && detail !== undefined) builds.set(host, detail);
      const waiting = [...operations].filter(([, { step: at }]) => at === 'image').map(([id]) => id);
      if (operationId === null) return waiting;
      change(operationId, {
        step,
        ahead: null,
        detail: detail ?? null,
        ...(output === undefined ? {} : { output }),
      });
      return step === 'building' ? [operationId, ...waiting] : [operationId];
    },
    setAhead: (operationId: string, ahead: number | null): void => change(operationId, { ahead }),
    setFigures: (vmId: string, known: Figures): void => {
      figures.set(vmId, { figures: known, at: now() });
    },
    setDiskLook: (host: string, look: DiskLook): void => {
      looks.set(host, look);
    },
    /** How the host's disks were last measured; null while nobody has. */
    diskLookOf: (host: string): DiskLook | null => looks.get(host) ?? null,
    setDisk: (vmId: string, usedBytes: number): void => {
      disks.set(vmId, { usedBytes, at: now() });
    },
    /** The disk that a VM used when it was last counted. */
    diskOf(vmId: string): number | null {
      const known = disks.get(vmId);
      return known !== undefined && now() - known.at < disksLifetime ? known.usedBytes : null;
    },
    of(operationId: string, host: string): OperationProgress {
      const known = operations.get(operationId) ?? nothingKnown;
      return known.step === 'image' ? { ...known, detail: builds.get(host) ?? known.detail } : known;
    },
    figuresOf(vmId: string): Figures | null {
      const known = figures.get(vmId);
      return known !== undefined && now() - known.at < figuresLifetime ? known.figures : null;
    },
    /** What is known of operations that have ended is of no more use. */
    forgetEnded(events: readonly { type: string; data: object }[]): void {
      for (const { type, data } of events) {
        if (type === 'VmDestroyed') disks.delete((data as { vmId: string }).vmId);
        if (terminalEvents.has(type)) operations.delete((data as { operationId: string }).operationId);
      }
    },
  };
};

export type ProgressBoard = ReturnType<typeof createProgressBoard>;
