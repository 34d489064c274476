import type { Order } from '../../shared/vm/events.ts';
import type { Conversation } from './conversation.ts';
import type { VmRow } from './store/schema.ts';
import type { Trx } from './store/store.ts';
import { post } from './telegram/messages.ts';
import type { BatchView } from './view.ts';

/**
 * Orders of administrators to other people's VMs. All of them are given in one transaction: whatever happens to the bot,
 * either every VM has its order or none has. Each owner hears of their own VMs; whoever ordered sees them counted.
 */

const commandTypes = { stop: 'OrderStop', start: 'OrderStart', destroy: 'DestroyVm' } as const;

export const orderVms = async (
  conversation: Conversation,
  verb: keyof typeof commandTypes,
  vms: readonly VmRow[],
  order: Order,
): Promise<void> => {
  const at = conversation.now.toISOString();
  for (const { vm_id: vmId, owner } of vms) {
    const data = { operationId: conversation.newId(), vmId, at, order };
    await conversation.handleVm(vmId, { type: commandTypes[verb], data }, { chatId: owner });
  }
};

const batchKeyPrefix = (batchId: string): string => `batch:${batchId}:`;

/** Shows the batch in the chats of these administrators; it is counted anew as its VMs come to their ends. */
export const showBatch = async (
  { trx, person }: Conversation,
  view: Omit<BatchView, 'kind' | 'by'>,
  administrators: readonly number[],
): Promise<void> => {
  for (const chatId of administrators) {
    const by = chatId === person.id ? null : person.id;
    await post(trx, {
      key: `${batchKeyPrefix(view.batchId)}${chatId}`,
      chatId,
      view: { kind: 'batch', ...view, by },
    });
  }
};

/** Something of the batch has changed: its messages are to be shown anew. */
export const refreshBatch = async (trx: Trx, batchId: string): Promise<void> => {
  const rows = await trx
    .selectFrom('messages')
    .select(['key', 'chat_id', 'view'])
    .where('key', 'like', `${batchKeyPrefix(batchId)}%`)
    .execute();
  for (const { key, chat_id: chatId, view } of rows) {
    await post(trx, { key, chatId, view: JSON.parse(view), bump: true });
  }
};
