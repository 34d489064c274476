import { plain } from '../format/rich-text.ts';
import { findAllowedUsers } from '../queries.ts';
import { commandTexts } from '../texts/commands.ts';
import { allowedList } from '../texts/general.ts';
import { defineCommand, noArguments } from './command.ts';

export const listAllowed = defineCommand({
  name: 'list_allowed',
  ...commandTexts.listAllowed,
  access: 'administrator',
  arguments: noArguments,
  async run(conversation) {
    const users = await findAllowedUsers(conversation.trx);
    await conversation.reply(plain(allowedList(users, conversation.config.ADMIN_USER_ID)));
  },
});
