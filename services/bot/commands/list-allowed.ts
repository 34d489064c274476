import { commandTexts } from '../texts/commands.ts';
import { defineCommand, noArguments } from './command.ts';

export const listAllowed = defineCommand({
  name: 'list_allowed',
  ...commandTexts.listAllowed,
  access: 'administrator',
  arguments: noArguments,
  async run(conversation) {
    await conversation.show({ kind: 'people', page: 0 });
  },
});
