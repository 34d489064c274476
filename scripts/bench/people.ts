import { openStore } from '../../services/bot/store/store.ts';
import { addPerson } from '../../services/practice/person-actions.ts';
import { createLog } from '../../shared/log.ts';
import { user, userStream } from '../../shared/user/user.ts';
import { administratorId } from '../../tests/support/berth.ts';
import type { Bench } from './chat.ts';

/**
 * People on the list. Every measured answer goes to somebody who has not heard from the bot for a while: Telegram
 * allows one message a second to a chat, and that is not what is measured. An administrator who lets in so many
 * would be held up by the same limit, so it is done while the bot is away.
 */
export const letIn = async ({ berth }: Bench, count: number): Promise<number[]> => {
  const people = Array.from({ length: count }, (_, index) => 50_001 + index);
  const metadata = { actor: administratorId, chat: null, correlationId: 'bench', causationId: null };
  await berth.bot().end();
  const store = await openStore({ dataDir: berth.dataDir, log: createLog('bench', 'silent') });
  await store.transaction(async (trx) => {
    for (const userId of people) {
      const at = new Date().toISOString();
      const data = { userId, planId: '1', username: null, by: administratorId, at };
      await store.handle(trx, user, userStream(userId), { type: 'AllowUser', data }, metadata);
    }
  });
  await store.close();
  for (const id of people) {
    addPerson(berth.practice.practice, { id, firstName: `P${id}`, languageCode: 'en', note: 'user' });
  }
  await berth.startBot();
  return people;
};
