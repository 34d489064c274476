import { z } from 'zod';
import { IllegalStateError } from '../../../shared/decider.ts';
import type { Order } from '../../../shared/vm/events.ts';
import type { Conversation } from '../conversation.ts';
import { plain } from '../format/rich-text.ts';
import { orderVms, showBatch } from '../orders.ts';
import { findSettings, findVms } from '../queries.ts';
import type { VmRow } from '../store/schema.ts';
import { commandTexts } from '../texts/commands.ts';
import { timeInWords } from '../texts/history.ts';
import { maintenanceOffAlready, maintenanceOnAlready } from '../texts/settings.ts';
import { defineCommand } from './command.ts';
import { onOrOff } from './config.ts';

const begin = async (conversation: Conversation, order: Order, batchId: string, vms: VmRow[]) => {
  const { person, now } = conversation;
  const data = { by: person.id, batchId, at: now.toISOString() };
  await conversation.handleSettings({ type: 'BeginMaintenance', data });
  const up = vms.filter(({ status }) => ['running', 'creating', 'starting', 'stopping'].includes(status));
  await orderVms(conversation, 'stop', up, order);
};

const end = async (conversation: Conversation, order: Order, batchId: string, vms: VmRow[]) => {
  const { person, now } = conversation;
  const data = { by: person.id, batchId, at: now.toISOString() };
  await conversation.handleSettings({ type: 'EndMaintenance', data });
  await orderVms(conversation, 'start', vms, order);
};

/** Which VMs maintenance stopped is the VMs' own matter: each knows whether it was, and starts again only then. */
export const maintenance = defineCommand({
  name: 'maintenance',
  ...commandTexts.maintenance,
  access: 'administrator',
  arguments: z.string().toLowerCase().pipe(onOrOff),
  async run(conversation, wanted) {
    const { trx, person, config } = conversation;
    const batchId = conversation.newId();
    const order: Order = { reason: 'maintenance', by: person.id, note: null, batchId };
    const vms = await findVms(trx);
    try {
      await (wanted === 'on' ? begin : end)(conversation, order, batchId, vms);
    } catch (error) {
      if (!(error instanceof IllegalStateError)) throw error;
      const { maintenance_since: since } = await findSettings(trx);
      const words = since === null ? maintenanceOffAlready : maintenanceOnAlready(timeInWords(since));
      await conversation.reply(plain(words));
      return;
    }
    const what = wanted === 'on' ? 'maintenance-on' : 'maintenance-off';
    await showBatch(conversation, { batchId, what, target: null }, config.ADMIN_USER_ID);
  },
});
