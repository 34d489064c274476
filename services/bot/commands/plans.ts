import { plain } from '../format/rich-text.ts';
import { findPlans, limitsFor } from '../queries.ts';
import { commandTexts } from '../texts/commands.ts';
import { planList } from '../texts/general.ts';
import { defineCommand, noArguments } from './command.ts';

export const plans = defineCommand({
  name: 'plans',
  ...commandTexts.plans,
  access: 'user',
  arguments: noArguments,
  async run(conversation) {
    const { plan } = await limitsFor(conversation.trx, conversation.person.id);
    await conversation.reply(plain(planList(await findPlans(conversation.trx), plan)));
  },
});
