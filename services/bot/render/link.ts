import { ticketLifetime } from '../../../queues/tickets.ts';
import { type Content, plain } from '../format/rich-text.ts';
import { findVm } from '../queries.ts';
import { linkVaultId, ticketName } from '../sealed-names.ts';
import type { OperationRow } from '../store/schema.ts';
import { linkButton } from '../texts/buttons.ts';
import {
  linkFailed,
  linkMoved,
  linkOffered,
  linkOpen,
  linkSpent,
  linkTimedOut,
  openQueuesLabel,
  openTerminalLabel,
} from '../texts/links.ts';
import { reference } from '../texts/operations.ts';
import type { Rendering } from './rendering.ts';

/** A one-time link, from its request to its end; the ticket is looked up while rendering and stands nowhere else. */
export const renderLink = async (
  operation: OperationRow,
  { db, vault, hosts, now }: Rendering,
): Promise<Content> => {
  const { operation_id: id, vm_id: vmId, status, ended_at: endedAt, link_origin: origin } = operation;
  const name = vmId === null ? null : ((await findVm(db, vmId))?.name ?? '');
  switch (status) {
    case 'open':
      return plain(linkOpen(name));
    case 'succeeded': {
      const ticket = await vault.unseal(db, linkVaultId(id), ticketName);
      const isOld = endedAt === null || now() - Date.parse(endedAt) > ticketLifetime * 1_000;
      if (ticket === null || isOld) return plain(linkSpent(name));
      const gateways = hosts.gateways();
      const leadsNowhere = gateways.length > 0 && gateways.every(({ tunnel }) => tunnel.origin !== origin);
      if (leadsNowhere) return plain(linkMoved(name));
      const url = `${origin}/${vmId === null ? 'd' : 't'}/${ticket}`;
      const label = vmId === null ? openQueuesLabel : openTerminalLabel;
      return plain(linkOffered(name, url, operation.link_note), [[linkButton(label, url)]]);
    }
    case 'timed-out':
      return plain(linkTimedOut(name, reference(id)));
    case 'failed':
    case 'cancelled': {
      const { reason_code: reasonCode, reason_detail: reasonDetail } = operation;
      return plain(linkFailed(name, { reasonCode, reasonDetail, reference: reference(id) }));
    }
  }
};
