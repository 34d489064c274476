import type { SshKey } from '../../shared/user/user.ts';
import type { Content } from './format/rich-text.ts';
import type { BatchInWords } from './texts/orders.ts';

/**
 * What a message of the chat is about. Kept with the message as JSON and rendered at every sending, so that it
 * holds no secret: passwords and output are looked up while rendering.
 */
export type View =
  | { kind: 'content'; content: Content }
  | { kind: 'operation'; operationId: string }
  | { kind: 'status'; vmId: string }
  /** Several VMs in one message. */
  | { kind: 'statuses'; vmIds: string[] }
  | { kind: 'vm-event'; vmId: string; event: 'exited'; cause: string; exitCode: number }
  | { kind: 'vm-event'; vmId: string; event: 'lost' | 'out-of-memory' }
  | { kind: 'vm-event'; vmId: string; event: 'disk-low'; usedBytes: number }
  /** Stopped for maintenance, it would have started again by itself; an administrator has ordered otherwise. */
  | { kind: 'vm-event'; vmId: string; event: 'left-stopped'; by: number | null; note: string | null }
  /** Many VMs under one order. `target`: whose; null for everybody's. */
  | {
      kind: 'batch';
      batchId: string;
      what: BatchInWords['what'];
      target: number | null;
      /** VMs that were stopped for maintenance already, and stay so when that ends. */
      left?: number;
      /** The administrator, for those who are not that one. */
      by: number | null;
    }
  /** A change of somebody's keys, and how far it has got in the VMs that run. */
  | {
      kind: 'keys';
      change: 'added' | 'removed';
      key: Omit<SshKey, 'line'>;
      correlationId: string;
      /** VMs that were coming up then, and get the keys when they are up. */
      comingUp: string[];
      at: string;
    }
  /** A password that holds from the VM's next start on. */
  | { kind: 'password'; vmId: string }
  /** May these VMs be destroyed? `question`: the update that asked; `expiresAt` in milliseconds since 1970. */
  | {
      kind: 'confirm-force-destroy';
      question: number;
      target: number | null;
      vmIds: string[];
      note: string | null;
      expiresAt: number;
    }
  /** What no VM accounts for: as one event told it, or all that there is now. */
  | { kind: 'strays'; position: number | null }
  /** May this be removed? As above. */
  | {
      kind: 'confirm-remove-strays';
      question: number;
      strays: { host: string; key: string }[];
      expiresAt: number;
    }
  /** The administrators' overview, and the list of all VMs. */
  | { kind: 'overview' }
  | { kind: 'vm-list'; page: number }
  | { kind: 'people'; page: number }
  /** GPUs were switched on; the host is asked whether it has any. */
  | { kind: 'gpu'; host: string };

export type BatchView = Extract<View, { kind: 'batch' }>;
export type KeysView = Extract<View, { kind: 'keys' }>;
export type ConfirmRemoveStraysView = Extract<View, { kind: 'confirm-remove-strays' }>;
export type ConfirmForceDestroyView = Extract<View, { kind: 'confirm-force-destroy' }>;
