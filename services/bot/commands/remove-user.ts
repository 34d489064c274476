import { z } from 'zod';
import { IllegalStateError } from '../../../shared/decider.ts';
import type { Order } from '../../../shared/vm/events.ts';
import { plain } from '../format/rich-text.ts';
import { orderVms, showBatch } from '../orders.ts';
import { findOpenOperationsByOwner, findVmsByOwner } from '../queries.ts';
import { isVmOperation } from '../store/schema.ts';
import { commandTexts } from '../texts/commands.ts';
import { userUnknown } from '../texts/history.ts';
import { isAdministrator, userNotAllowed, youAreRemoved } from '../texts/orders.ts';
import { badUserId } from '../texts/refusals.ts';
import { defineCommand } from './command.ts';
import { requireOnePerson } from './one-person.ts';

/** Takes somebody off the list: their VMs stop, what they run in them ends, all their data stays. */
export const removeUser = defineCommand({
  name: 'remove_user',
  ...commandTexts.removeUser,
  access: 'administrator',
  arguments: z.string().regex(/^\S+$/, badUserId),
  async run(conversation, text) {
    const { trx, person, config, now } = conversation;
    const userId = await requireOnePerson(conversation, text, userUnknown(text));
    if (config.ADMIN_USER_ID.includes(userId)) {
      await conversation.reply(plain(isAdministrator(userId)));
      return;
    }
    const at = now.toISOString();
    try {
      await conversation.handleUser(userId, { type: 'RemoveUser', data: { userId, by: person.id, at } });
    } catch (error) {
      if (!(error instanceof IllegalStateError)) throw error;
      await conversation.reply(plain(userNotAllowed(userId)));
      return;
    }
    const vms = await findVmsByOwner(trx, userId);
    await conversation.show(
      { kind: 'content', content: plain(youAreRemoved(vms.map(({ name }) => name))) },
      userId,
    );
    const batchId = conversation.newId();
    const order: Order = { reason: 'user-removed', by: person.id, note: null, batchId };
    await orderVms(conversation, 'stop', vms, order);
    // Commands end at once, rather than with their VM some seconds later.
    for (const operation of await findOpenOperationsByOwner(trx, userId)) {
      if (operation.kind !== 'exec' || !isVmOperation(operation)) continue;
      const { operation_id: operationId, vm_id: vmId } = operation;
      const data = { operationId, vmId, at, undoOperationId: conversation.newId() };
      await conversation.handleVm(vmId, { type: 'CancelOperation', data }, { chatId: userId });
    }
    await showBatch(conversation, { batchId, what: 'user-removed', target: userId }, [person.id]);
  },
});
