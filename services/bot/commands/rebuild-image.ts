import { IllegalStateError } from '../../../shared/decider.ts';
import { plain } from '../format/rich-text.ts';
import { commandTexts } from '../texts/commands.ts';
import { imageBuildingAlready } from '../texts/settings.ts';
import { defineCommand, noArguments } from './command.ts';

export const rebuildImage = defineCommand({
  name: 'rebuild_image',
  ...commandTexts.rebuildImage,
  access: 'administrator',
  arguments: noArguments,
  async run(conversation) {
    const { person, config, now } = conversation;
    const { HOST_ID: host } = config;
    const data = { operationId: conversation.newId(), host, by: person.id, at: now.toISOString() };
    try {
      await conversation.handleImage(host, { type: 'RequestImageBuild', data });
    } catch (error) {
      if (!(error instanceof IllegalStateError)) throw error;
      await conversation.reply(plain(imageBuildingAlready));
    }
  },
});
