import type { Generated, Selectable } from 'kysely';
import type { EventTable } from '../../../shared/event-store/schema.ts';
import type { StrayReason } from '../../../shared/stray/sorting.ts';
import type { Thing } from '../../../shared/stray/thing.ts';
import type { OrderReason } from '../../../shared/vm/events.ts';

/**
 * Glossary.
 * projection — a table built from events alone, dropped and rebuilt at will: vms, operations, users, ssh_keys, plans,
 *   settings, strays.
 * outbox — what must reach Redis, written in the transaction of the events that ask for it.
 * message — what a chat shows: the wish (view, revision) and what was delivered of it.
 * person — somebody who ever wrote: how they call themselves, and which menu Telegram shows in their chat.
 * sealed value — something secret of one VM, readable only with that VM's key.
 *
 * Times are ISO strings, booleans 0 or 1, sizes bytes.
 */

export type VmRow = {
  vm_id: string;
  owner: number;
  name: string;
  host: string;
  status: string;
  plan: string | null;
  memory_bytes: number;
  cpus: number;
  disk_bytes: number;
  gpu: number;
  /** Whether its user may become root in it. */
  sudo: number;
  ssh_port: number;
  epoch: number;
  container_id: string | null;
  host_key_fingerprint: string | null;
  /** The lifecycle operation in flight. */
  operation_id: string | null;
  /** Maintenance stopped it and will start it again. */
  paused: number;
  /** The batch of the order that is planned for the end of the operation in flight. */
  planned_batch: string | null;
  /** Its owner was told that its disk is nearly full. */
  disk_low: number;
  requested_at: string;
  running_since: string | null;
  changed_at: string;
};

export type OperationStatus = 'open' | 'succeeded' | 'failed' | 'cancelled' | 'timed-out';

export type OperationRow = {
  operation_id: string;
  /** Null for a build of the image, a link to the queues and a removal of strays, which concern no single VM. */
  vm_id: string | null;
  kind: string;
  status: OperationStatus;
  /** A cancellation was asked for and its end is awaited. */
  cancelling: number;
  owner: number;
  /** Telegram id of whoever asked; null when Berth itself did. */
  actor: number | null;
  /** The chat that hears of it; null for none. */
  chat: number | null;
  host: string;
  epoch: number;
  /** Counts the jobs made for it: the first, and one more for each new port. */
  attempt: number;
  requested_at: string;
  ended_at: string | null;
  reason_code: string | null;
  reason_detail: string | null;
  exit_code: number | null;
  duration_ms: number | null;
  output_bytes: number | null;
  truncated: number | null;
  timeout_seconds: number | null;
  /** Of a change of access: `password` or `keys`; of a link its purpose. */
  cause: string | null;
  /** Of a link: where it leads, and what is to be said about the way. */
  link_origin: string | null;
  link_note: string | null;
  /** Why it was begun without its owner asking, and by whom. */
  order_reason: OrderReason | null;
  order_by: number | null;
  order_note: string | null;
  /** Where a full disk is why: how much of it was used. */
  order_used_bytes: number | null;
  batch_id: string | null;
  correlation_id: string;
};

/** An operation on a VM: one that stands in the VM's own stream. */
export type VmOperationRow = OperationRow & { vm_id: string };
export const isVmOperation = (operation: OperationRow): operation is VmOperationRow =>
  !['build-image', 'link', 'remove-strays'].includes(operation.kind);

export type UserRow = {
  user_id: number;
  status: string;
  plan_id: string | null;
  username: string | null;
  name: string | null;
  changed_at: string;
};

export type PlanRow = {
  plan_id: string;
  name: string;
  memory_bytes: number;
  cpus: number;
  disk_bytes: number;
  max_vms: number;
  sudo: number;
};

export type SettingsRow = {
  id: 1;
  memory_bytes: number;
  cpus: number;
  disk_bytes: number;
  max_vms: number;
  gpu: number;
  /** Null while there is no maintenance. */
  maintenance_since: string | null;
  maintenance_by: number | null;
  maintenance_batch: string | null;
};

export type SshKeyRow = {
  user_id: number;
  fingerprint: string;
  type: string;
  bits: number;
  comment: string;
  line: string;
  added_at: string;
};

/** Something on a host that no VM accounts for, or that was so. */
export type StrayRow = {
  host: string;
  /** The same for the same thing only, see shared/stray. */
  key: string;
  kind: Thing['kind'];
  docker_id: string;
  name: string;
  /** What its labels say. */
  vm_id: string | null;
  owner: string | null;
  reason: StrayReason;
  running: number;
  created_at: string | null;
  /** The event by which it was told. */
  found_position: number;
  found_at: string;
  /** The removal in flight, or the one that removed it. */
  operation_id: string | null;
  /** Null as long as it is there. */
  gone_at: string | null;
};

export type PersonRow = {
  user_id: number;
  first_name: string;
  username: string | null;
  /** The menu that was registered for their chat alone; null for the one that all have. */
  menu: 'administrator' | null;
  seen_at: string;
};

export type OutboxTable = {
  id: Generated<number>;
  /** A job to add, or an operation whose worker must stop. */
  kind: 'job' | 'cancel';
  /** Unique among jobs: `<operation id>.<attempt>`; of a cancellation the operation's id. */
  job_id: string;
  operation_id: string;
  job_name: string | null;
  host: string;
  /** JSON of the job's payload; for a cancellation null. */
  payload: string | null;
  created_at: string;
  sent_at: string | null;
};

export type OutboxRow = Selectable<OutboxTable>;

export type UpdateRow = { bot_id: number; update_id: number; received_at: string };

export type MessageRow = {
  /** What the message is about: `op:<operation id>`, `update:<update id>:0`, … */
  key: string;
  chat_id: number;
  /** JSON of the view: which template with which arguments, never a secret. Rendered at every sending. */
  view: string;
  revision: number;
  delivered_revision: number;
  message_id: number | null;
  /** The chat's message it answers. */
  reply_to: number | null;
  state: 'open' | 'delivered' | 'undeliverable';
  attempts: number;
  created_at: string;
  updated_at: string;
};

export type VmKeyRow = { vm_id: string; wrapped_key: Uint8Array };
export type SealedValueRow = { vm_id: string; name: string; sealed: Uint8Array };

export type Database = {
  events: EventTable;
  vms: VmRow;
  operations: OperationRow;
  users: UserRow;
  plans: PlanRow;
  settings: SettingsRow;
  ssh_keys: SshKeyRow;
  strays: StrayRow;
  outbox: OutboxTable;
  updates: UpdateRow;
  messages: MessageRow;
  people: PersonRow;
  vm_keys: VmKeyRow;
  sealed_values: SealedValueRow;
};
