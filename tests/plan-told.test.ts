import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Berth, startBerth } from './support/berth.ts';
import type { ChatMessage, Participant } from './support/practice-client.ts';

/** What somebody hears when an administrator lets them in, changes their plan, or only their name. */

let berth: Berth;
let eve: Participant;
const heard = () => eve.messages().filter(({ fromBot }) => fromBot);
const says =
  (part: string) =>
  ({ text, fromBot }: ChatMessage) =>
    fromBot && text.includes(part);

beforeAll(async () => {
  berth = await startBerth({ workers: 0 });
  await berth.admin.ask('/start');
  const { id } = await berth.chat.addPerson({ firstName: 'Eve', id: 50_310 });
  eve = berth.chat.person(id);
  await eve.ask('/start', says('not on it'));
});
afterAll(() => berth?.stop());

it('let in, they hear it with their plan; with another one, that it is another', async () => {
  await berth.admin.ask('/allow_user 50310 1', says('may use Berth'));
  const welcome = await eve.waitForMessage(says('You may use Berth now'));
  expect(welcome.text).toContain('with the Basic plan');

  await berth.admin.ask('/allow_user 50310 2', says('Standard plan'));
  const changed = await eve.waitForMessage(says('Your plan is Standard now'));
  expect(changed.text).toContain('VMs that you make from now on');
  expect(heard().filter(says('You may use Berth'))).toHaveLength(1);
});

it('of a name put right they hear nothing, and of the same once more neither', async () => {
  const before = heard().length;
  await berth.admin.ask('/allow_user 50310 2 eve_e', says('@eve_e'));
  await berth.admin.ask('/allow_user 50310 2 eve_e', says('@eve_e'));
  // What was posted before this answer would be in the chat before it.
  await eve.ask('/plans', says('Standard'));
  expect(heard()).toHaveLength(before + 1);
});

it('whom no plan is named for keeps theirs', async () => {
  expect((await berth.admin.ask('/allow_user 50310', says('may use Berth'))).text).toContain('Standard');
  expect((await berth.admin.ask('/allow_user 50310 eva_e', says('@eva_e'))).text).toContain('Standard');
});

it('without a plan they hear that the defaults apply', async () => {
  await berth.admin.ask('/allow_user 50310 none', says('no plan'));
  await eve.waitForMessage(says('You have no plan any more'));
  expect((await eve.ask('/start')).text).toContain('Without a plan the defaults apply');
});
