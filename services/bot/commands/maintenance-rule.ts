import type { Conversation } from '../conversation.ts';
import { plain } from '../format/rich-text.ts';
import { findSettings } from '../queries.ts';
import { inMaintenance } from '../texts/settings.ts';

/** While there is maintenance only administrators create and start VMs. True: the person has been answered. */
export const refuseDuringMaintenance = async (conversation: Conversation): Promise<boolean> => {
  if (conversation.person.role === 'administrator') return false;
  const { maintenance_since: since } = await findSettings(conversation.trx);
  if (since === null) return false;
  await conversation.reply(plain(inMaintenance));
  return true;
};
