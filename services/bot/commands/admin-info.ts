import { findVms } from '../queries.ts';
import { commandTexts } from '../texts/commands.ts';
import { defineCommand, noArguments } from './command.ts';

export const adminInfo = defineCommand({
  name: 'admin_info',
  ...commandTexts.adminInfo,
  access: 'administrator',
  arguments: noArguments,
  async run(conversation) {
    // Shown with what is known, and again when hosts and queues have been looked at.
    conversation.askHosts(await conversation.show({ kind: 'overview' }));
    const vms = await findVms(conversation.trx);
    if (vms.length > 0) await conversation.show({ kind: 'vm-list', page: 0 });
  },
});
