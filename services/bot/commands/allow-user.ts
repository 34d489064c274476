import { z } from 'zod';
import type { Conversation } from '../conversation.ts';
import { type Content, plain } from '../format/rich-text.ts';
import { findPlan, findPlans, findUser, findVmsByOwner } from '../queries.ts';
import type { PlanRow, UserRow } from '../store/schema.ts';
import type { Trx } from '../store/store.ts';
import { createButton, helpButton, statusOfEach } from '../texts/buttons.ts';
import { commandTexts } from '../texts/commands.ts';
import { accessGranted, accessRestored, planGiven, userAllowed } from '../texts/general.ts';
import { badUserId, badUsername, planUnknown, tooManyWords } from '../texts/refusals.ts';
import { readUserId } from '../user-id.ts';
import { defineCommand, UsageError } from './command.ts';

/** Lets a person in, or changes their plan; the person is told in their own chat. */
export const allowUser = async (
  conversation: Conversation,
  userId: number,
  wanted: PlanRow | 'none' | 'former',
  username: string | null,
): Promise<void> => {
  const { trx, person, now } = conversation;
  const before = await findUser(trx, userId);
  const plan = wanted === 'none' ? null : wanted === 'former' ? await formerPlan(trx, before) : wanted;
  const { state, events } = await conversation.handleUser(userId, {
    type: 'AllowUser',
    data: { userId, planId: plan?.plan_id ?? null, username, by: person.id, at: now.toISOString() },
  });
  // Pressed under a request, the answer takes the request's place, and its buttons go.
  await conversation.replace(plain(userAllowed(userId, state.username, plan?.name ?? null)));
  if (events.length === 0) return;
  const was = { isIn: before?.status === 'allowed', planId: before?.plan_id ?? null };
  // Only the name was put right: nothing that concerns the person.
  if (was.isIn && was.planId === (plan?.plan_id ?? null)) return;
  const content = was.isIn ? plain(planGiven(plan?.name ?? null)) : await welcomeBack(trx, userId, plan);
  await conversation.show({ kind: 'content', content }, userId);
};

/** Whom no plan is named for keeps the one that they have, or left with. */
const formerPlan = async (trx: Trx, before: UserRow | undefined): Promise<PlanRow | null> =>
  before === undefined || before.plan_id === null ? null : ((await findPlan(trx, before.plan_id)) ?? null);

/** To somebody who was not on the list a moment ago; whether they ever were shows by their VMs. */
const welcomeBack = async (trx: Trx, userId: number, plan: PlanRow | null): Promise<Content> => {
  const name = plan?.name ?? null;
  const vms = await findVmsByOwner(trx, userId);
  if (vms.length === 0) return plain(accessGranted(name), [[createButton, helpButton]]);
  const names = vms.map((vm) => vm.name);
  return plain(accessRestored(name, names), [...statusOfEach(vms.slice(0, 4)), [helpButton]]);
};

const userIdWord = z.string(badUserId).transform((text, context) => {
  const userId = readUserId(text);
  if (userId !== null) return userId;
  context.addIssue({ code: 'custom', message: badUserId });
  return z.NEVER;
});

/** In a plan's place: they shall have none. */
const noPlanWord = 'none';

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
        .tuple([userIdWord], badUserId)
        .rest(z.string())
        .refine((words) => words.length <= 3, tooManyWords),
    ),
  async run(conversation, [userId, ...rest]) {
    const plans = await findPlans(conversation.trx);
    const known = [...plans.map(({ plan_id, name }) => `${plan_id} (${name})`), noPlanWord];
    const readPlan = (word: string): PlanRow | 'none' | undefined =>
      word.toLowerCase() === noPlanWord
        ? 'none'
        : plans.find((plan) => plan.plan_id === word || plan.name.toLowerCase() === word.toLowerCase());
    const [first, second] = rest;
    const plan = first === undefined ? undefined : readPlan(first);
    // `/allow_user <id> <username>` gives no plan: a single word that is no plan is the name.
    const name = plan === undefined ? first : second;
    if (plan === undefined && second !== undefined) throw new UsageError(planUnknown(first ?? '', known));
    const username = name === undefined ? null : (usernamePattern.exec(name)?.[1] ?? null);
    if (name !== undefined && username === null) {
      throw new UsageError(badUsername(name, known));
    }
    await allowUser(conversation, userId, plan ?? 'former', username);
  },
});
