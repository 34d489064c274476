import type { Outcome } from '../../queues/catalog.ts';
import { openTunnel } from '../../queues/catalog.ts';
import type { Producer } from '../../queues/producer.ts';
import { type Grant, newSecret, ticketLifetime } from '../../queues/tickets.ts';
import type { LinkCommand } from '../../shared/link/link.ts';
import type { Db } from './conversation.ts';
import { operationMessageKey } from './notifications.ts';
import { findVm } from './queries.ts';
import type { OperationRow } from './store/schema.ts';

/** Links with a ticket in them: what a way to the gateway becomes for the person who asked. */

/** What the person may open; null where that is no longer there to be opened. */
const grantFor = async (
  db: Db,
  { owner: userId, vm_id: vmId }: OperationRow,
  at: string,
): Promise<Grant | null> => {
  if (vmId === null) return { kind: 'dashboard', userId, grantedAt: at };
  const vm = await findVm(db, vmId);
  if (vm?.owner !== userId || vm.status !== 'running') return null;
  return { kind: 'terminal', userId, grantedAt: at, vmId, vmName: vm.name, host: vm.host };
};

/**
 * The command that records how it ended, and the ticket of a link that is offered: Redis knows its hash by then. Rejects
 * while Redis is away.
 */
export const linkCommandFor = async (
  { db, issueTicket }: { db: Db; issueTicket: Producer['issueTicket'] },
  operation: OperationRow,
  outcome: Outcome,
  at: string,
): Promise<{ command: LinkCommand; ticket: string | null }> => {
  const ids = { operationId: operation.operation_id, at };
  const failed = (reason: Extract<Outcome, { kind: 'failed' }>['reason']) =>
    ({ command: { type: 'RecordLinkFailed', data: { ...ids, reason } }, ticket: null }) as const;
  if (outcome.kind === 'failed') return failed(outcome.reason);
  if (outcome.kind === 'cancelled') return failed({ code: 'gave-up', detail: '' });
  const { origin, way, note } = openTunnel.result.parse(outcome.result);
  const grant = await grantFor(db, operation, new Date().toISOString());
  if (grant === null) return failed({ code: 'vm-not-running', detail: '' });
  const ticket = newSecret();
  await issueTicket(ticket, grant);
  return { command: { type: 'RecordLinkOffered', data: { ...ids, origin, way, note } }, ticket };
};

/** Has the links that may still be good shown anew: whether they lead anywhere depends on where the gateways are now. */
export const refreshLinks = async ({
  db,
  refresh,
  now,
}: {
  db: Db;
  refresh: (messageKey: string) => void;
  now: Date;
}): Promise<void> => {
  const good = await db
    .selectFrom('operations')
    .select('operation_id')
    .where('kind', '=', 'link')
    .where('status', '=', 'succeeded')
    .where('ended_at', '>', new Date(now.getTime() - ticketLifetime * 1_000).toISOString())
    .execute();
  for (const { operation_id } of good) refresh(operationMessageKey(operation_id));
};
