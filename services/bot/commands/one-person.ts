import type { Conversation } from '../conversation.ts';
import { findUserIds } from '../names.ts';
import { severalCalledSo } from '../texts/refusals.ts';
import { UsageError } from './command.ts';

/** The one person who is meant by an id or a user name. Throws UsageError: `unknown` where nobody is, or who could be. */
export const requireOnePerson = async (
  { trx }: Conversation,
  text: string,
  unknown: string,
): Promise<number> => {
  const [first, ...others] = await findUserIds(trx, text);
  if (first === undefined) throw new UsageError(unknown);
  if (others.length > 0) throw new UsageError(severalCalledSo(text, [first, ...others]));
  return first;
};
