import { z } from 'zod';
import type { Conversation } from '../conversation.ts';
import { plain } from '../format/rich-text.ts';
import { findPlans } from '../queries.ts';
import type { PlanRow } from '../store/schema.ts';
import { createButton, helpButton } from '../texts/buttons.ts';
import { commandTexts } from '../texts/commands.ts';
import { accessGranted, userAllowed } from '../texts/general.ts';
import { badUserId, badUsername, planUnknown, tooManyWords } from '../texts/refusals.ts';
import { defineCommand, UsageError } from './command.ts';

/** Lets a person in, or changes their plan; the person is told in their own chat. */
export const allowUser = async (
  conversation: Conversation,
  userId: number,
  plan: PlanRow | null,
  username: string | null,
): Promise<void> => {
  const { person, now } = conversation;
  const { state, events } = await conversation.handleUser(userId, {
    type: 'AllowUser',
    data: { userId, planId: plan?.plan_id ?? null, username, by: person.id, at: now.toISOString() },
  });
  // Pressed under a request, the answer takes the request's place, and its buttons go.
  await conversation.replace(plain(userAllowed(userId, state.username, plan?.name ?? null)));
  if (events.length === 0) return;
  const content = plain(accessGranted(plan?.name ?? null), [[createButton, helpButton]]);
  await conversation.show({ kind: 'content', content }, userId);
};

const usernamePattern = /^@?([A-Za-z][A-Za-z0-9_]{3,31})$/;

export const allowUserCommand = defineCommand({
  name: 'allow_user',
  ...commandTexts.allowUser,
  access: 'administrator',
  arguments: z
    .string()
    .transform((text) => text.split(/\s+/).filter((word) => word !== ''))
    .pipe(
      z
        .tuple(
          [
            z
              .string(badUserId)
              .regex(/^[1-9]\d{0,15}$/, badUserId)
              .transform(Number),
          ],
          badUserId,
        )
        .rest(z.string())
        .refine((words) => words.length <= 3, tooManyWords),
    ),
  async run(conversation, [userId, ...rest]) {
    const plans = await findPlans(conversation.trx);
    const isPlan = (word: string) =>
      plans.find((plan) => plan.plan_id === word || plan.name.toLowerCase() === word.toLowerCase());
    const [first, second] = rest;
    const plan = first === undefined ? null : (isPlan(first) ?? null);
    // `/allow_user <id> <username>` gives no plan: a single word that is no plan is the name.
    const name = plan === null ? first : second;
    if (plan === null && second !== undefined) {
      throw new UsageError(
        planUnknown(
          first ?? '',
          plans.map((known) => `${known.plan_id} (${known.name})`),
        ),
      );
    }
    const username = name === undefined ? null : (usernamePattern.exec(name)?.[1] ?? null);
    if (name !== undefined && username === null) {
      throw new UsageError(
        badUsername(
          name,
          plans.map((known) => `${known.plan_id} (${known.name})`),
        ),
      );
    }
    await allowUser(conversation, userId, plan, username);
  },
});
