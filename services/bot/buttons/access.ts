import { allowUser } from '../commands/allow-user.ts';
import { showHelp } from '../commands/help.ts';
import { commands } from '../commands/index.ts';
import type { Conversation } from '../conversation.ts';
import { plain } from '../format/rich-text.ts';
import { mayUse } from '../people.ts';
import { findPlan, findPlans, findUser } from '../queries.ts';
import { grantButton, refuseButton } from '../texts/buttons.ts';
import {
  accessAsked,
  accessRefused,
  accessRequest,
  asking,
  requestSettled,
  userRefused,
} from '../texts/general.ts';
import { buttonUnknown, refusedLately } from '../texts/refusals.ts';
import { readUserId } from '../user-id.ts';
import type { ButtonAction } from './button.ts';

/** Milliseconds: administrators need not answer the same person over and over. */
const refusalHolds = 24 * 3_600_000;

export const askAccess: ButtonAction = {
  action: 'ask-access',
  access: 'anybody',
  async run(conversation) {
    const { person, trx, now, config } = conversation;
    if (mayUse(person.role, 'user')) {
      await showHelp(() => commands)(conversation);
      return;
    }
    const before = await findUser(trx, person.id);
    const waits =
      before?.status === 'refused' && now.getTime() - Date.parse(before.changed_at) < refusalHolds;
    if (waits) {
      conversation.toast(refusedLately, true);
      return;
    }
    const name = person.firstName;
    const { events } = await conversation.handleUser(person.id, {
      type: 'RequestAccess',
      data: { userId: person.id, name, username: person.username, at: now.toISOString() },
    });
    if (events.length === 0) {
      await conversation.reply(plain(asking(person.id)));
      return;
    }
    await conversation.replace(plain(accessAsked));
    const plans = await findPlans(trx);
    const request = plain(accessRequest({ userId: person.id, name, username: person.username }), [
      plans.slice(0, 2).map((plan) => grantButton(person.id, plan)),
      plans.slice(2).map((plan) => grantButton(person.id, plan)),
      [refuseButton(person.id)],
    ]);
    for (const administrator of config.ADMIN_USER_ID) {
      await conversation.show({ kind: 'content', content: request }, administrator);
    }
  },
};

/** The person whose request the button answers, while it is open; another administrator may have been faster. */
const openRequest = async (conversation: Conversation, text: string | undefined) => {
  const userId = readUserId(text);
  const asker = userId === null ? undefined : await findUser(conversation.trx, userId);
  if (userId === null || asker === undefined) {
    conversation.toast(buttonUnknown, true);
    return undefined;
  }
  if (asker.status !== 'asking') {
    await conversation.replace(plain(requestSettled(userId)));
    return undefined;
  }
  return { userId, username: asker.username };
};

export const grant: ButtonAction = {
  action: 'grant',
  access: 'administrator',
  async run(conversation, [user, planId = '']) {
    const asker = await openRequest(conversation, user);
    const plan = await findPlan(conversation.trx, planId);
    if (asker === undefined) return;
    if (plan === undefined) {
      conversation.toast(buttonUnknown, true);
      return;
    }
    await allowUser(conversation, asker.userId, plan, asker.username);
  },
};

export const refuse: ButtonAction = {
  action: 'refuse',
  access: 'administrator',
  async run(conversation, [user]) {
    const asker = await openRequest(conversation, user);
    if (asker === undefined) return;
    const { person, now } = conversation;
    await conversation.handleUser(asker.userId, {
      type: 'RefuseAccess',
      data: { userId: asker.userId, by: person.id, at: now.toISOString() },
    });
    await conversation.replace(plain(userRefused(asker.userId, asker.username)));
    await conversation.show({ kind: 'content', content: plain(accessRefused) }, asker.userId);
  },
};
