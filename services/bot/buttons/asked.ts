import type { Conversation } from '../conversation.ts';
import { buttonExpired } from '../texts/refusals.ts';
import type { View } from '../view.ts';

/** A view that asks before something is done, and holds what. */
type Question = Extract<View, { expiresAt: number }>;

/**
 * What was asked by the update `question`, while the answer still counts; otherwise says so and gives undefined. It stands
 * in the message, in the database: nothing in the button itself is trusted.
 */
export const findAsked = async <Kind extends Question['kind']>(
  { trx, chat, now, toast }: Conversation,
  question: string,
  kind: Kind,
): Promise<Extract<Question, { kind: Kind }> | undefined> => {
  const row = await trx
    .selectFrom('messages')
    .select('view')
    .where('key', '=', `update:${question}:0`)
    .where('chat_id', '=', chat.id)
    .executeTakeFirst();
  const asked = row === undefined ? undefined : (JSON.parse(row.view) as View);
  const isIt = (view: View): view is Extract<Question, { kind: Kind }> => view.kind === kind;
  if (asked !== undefined && isIt(asked) && now.getTime() < asked.expiresAt) return asked;
  toast(buttonExpired, true);
  return undefined;
};
