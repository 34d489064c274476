import { z } from 'zod';
import type { Conversation } from '../conversation.ts';
import type { Access } from '../people.ts';
import { argumentsWrong, nameRule, noArgumentWanted } from '../texts/refusals.ts';
import { vmNamePattern } from '../vm-name.ts';

/**
 * A command is a file: what it is called, who may use it, what may stand behind it, what it does.
 * `arguments` reads the text behind the command; a fault in it becomes the usage with an example.
 */
export type Command<Arguments = unknown> = {
  name: string;
  /** How the arguments are written, as the usage shows them. */
  usage: string;
  summary: string;
  example: string;
  access: Access;
  arguments: z.ZodType<Arguments, string>;
  run(conversation: Conversation, args: Arguments): Promise<void>;
};

/** Erases the argument type so that commands of all kinds stand in one list. */
export const defineCommand = <Arguments>(command: Command<Arguments>): Command =>
  command as unknown as Command;

/** Something in the arguments is wrong; the message says what. */
export class UsageError extends Error {
  override name = 'UsageError';
}

export const noArguments = z.string().max(0, noArgumentWanted);
export const anyText = z.string();

/** Names are lower case; a person on a phone need not care. */
export const optionalVmName = z
  .string()
  .transform((text) => text.toLowerCase())
  .pipe(
    z.union([z.literal('').transform(() => undefined), z.string().regex(vmNamePattern, nameRule)], nameRule),
  );

export const readArguments = <Arguments>(command: Command<Arguments>, text: string): Arguments => {
  const result = command.arguments.safeParse(text);
  if (result.success) return result.data;
  throw new UsageError(result.error.issues[0]?.message ?? argumentsWrong);
};
