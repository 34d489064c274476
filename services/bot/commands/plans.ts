import { plain } from '../format/rich-text.ts';
import { findPlans, limitsFor } from '../queries.ts';
import { planList } from '../texts/general.ts';
import { defineCommand, noArguments } from './command.ts';

export const plans = defineCommand({
  name: 'plans',
  usage: '',
  summary: 'the plans, and which one is yours',
  example: '/plans',
  access: 'user',
  arguments: noArguments,
  async run(conversation) {
    const { plan } = await limitsFor(conversation.trx, conversation.person.id);
    await conversation.reply(plain(planList(await findPlans(conversation.trx), plan)));
  },
});
