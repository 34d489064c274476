import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStore } from '../services/bot/store/store.ts';
import { createLog } from '../shared/log.ts';
import { type Berth, startBerth } from './support/berth.ts';
import { findContainers, findVolumes } from './support/docker.ts';
import type { ChatMessage, Participant } from './support/practice-client.ts';

/** An administrator's hand on other people's VMs. */

let berth: Berth;
let ann: Participant;
let bob: Participant;
let zoe: Participant;

const says =
  (...parts: string[]) =>
  ({ text, fromBot }: ChatMessage) =>
    fromBot && parts.every((part) => text.includes(part));
const long = { timeoutMs: 40_000 };
const labels = (message: ChatMessage) => message.buttons.flat().map(({ text }) => text);
const count = (person: Participant, part: string) => person.messages().filter(says(part)).length;
const owners = async () =>
  (await findContainers(berth.instance)).map(({ Labels }) => Number(Labels['berth.owner'])).sort();
const order = (text: string, ...parts: string[]) =>
  berth.admin.ask(text, (message) => says(...parts)(message) && !message.text.includes('⏳'), long);
const newer = (after: ChatMessage, part: string) => (message: ChatMessage) =>
  message.id > after.id && says(part)(message);
/** Sends callback data as somebody who never got the button. */
const forge = async (person: Participant, data: string) => {
  await berth.chat.rawUpdate({
    callback_query: {
      id: `forged-${person.id}-${data}`,
      from: { id: person.id, is_bot: false, first_name: 'Forger' },
      message: { message_id: 1, date: 0, chat: { id: person.id, type: 'private' } },
      chat_instance: '1',
      data,
    },
  });
};
const dataOf = (message: ChatMessage, label: string) => {
  const button = message.buttons.flat().find(({ text }) => text === label);
  return (button as { callback_data?: string } | undefined)?.callback_data ?? '';
};

/** As if the questions had been asked long ago. */
const makeQuestionsOld = async (dataDir: string): Promise<void> => {
  const store = await openStore({ dataDir, log: createLog('test', 'silent') });
  const rows = await store.db
    .selectFrom('messages')
    .select(['key', 'view'])
    .where('view', 'like', '%confirm-force-destroy%')
    .execute();
  for (const { key, view } of rows) {
    const old = JSON.stringify({ ...JSON.parse(view), expiresAt: Date.now() - 1 });
    await store.db.updateTable('messages').set({ view: old }).where('key', '=', key).execute();
  }
  await store.close();
};

beforeAll(async () => {
  berth = await startBerth({ workers: 2 });
  await berth.admin.ask('/start');
  ann = await berth.newUser('Ann');
  bob = await berth.newUser('Bob');
  const { id } = await berth.chat.addPerson({ firstName: 'Zoe', id: 50_100, username: 'Zoe_Z' });
  zoe = berth.chat.person(id);
  await zoe.ask('/start');
  await berth.admin.ask(`/allow_user ${id} 1`);
  const made = [ann, bob, zoe].map((person) =>
    person.ask(`/create box-${person.id}`, says('is running'), { timeoutMs: 60_000 }),
  );
  await Promise.all(made);
});
afterAll(() => berth?.stop());

describe('/force_stop', () => {
  it.each([
    ['/force_stop', 'say whose VMs'],
    ['/force_stop @nobody_here', '@nobody_here is neither all nor anybody I know'],
  ])('answers %s with the usage', async (text, problem) => {
    const answer = await berth.admin.ask(text);
    expect(answer.text).toContain(problem);
    expect(answer.text).toContain('Example: /force_stop');
  });

  it('answers a reason without end with the usage', async () => {
    const answer = await berth.admin.ask(`/force_stop all ${'x'.repeat(301)}`);
    expect(answer.text).toContain('the reason is too long');
  });

  it('is for administrators', async () => {
    expect((await ann.ask(`/force_stop ${bob.id}`)).text).toContain('is for administrators');
    expect((await ann.ask(`/force_destroy ${bob.id}`)).text).toContain('is for administrators');
  });

  it('says that an id runs nothing, whoever that may be', async () => {
    expect((await berth.admin.ask('/force_stop 987654')).text).toContain('987654 has no VM running');
  });

  it('stops the VMs of one person by user name; the person is told who and why', async () => {
    const told = await order('/force_stop @zoe_z mining is not allowed', 'Stopping the VMs of Zoe');
    expect(told.text).toContain('✅ 1 of 1 VM stopped.');
    const why = await zoe.waitForMessage(says('was stopped by the administrator'), long);
    expect(why.text).toMatch(/by the administrator \S+/);
    expect(why.text).toContain('\nReason: mining is not allowed');
    expect(labels(why)).toContain('▶️ Start');
    expect(count(ann, 'was stopped')).toBe(0);
    expect((await berth.admin.ask(`/force_stop @zoe_z`)).text).toContain('has no VM running');
  });

  it('stops the VMs of everybody without a reason, one that is being started included', async () => {
    await zoe.ask('/start_vm', says('Starting'));
    const told = await order('/force_stop all', "Stopping everybody's VMs");
    expect(told.text).toContain('✅ 3 of 3 VMs stopped.');
    for (const person of [ann, bob]) {
      const why = await person.waitForMessage(says('was stopped by the administrator'), long);
      expect(why.text).not.toContain('Reason');
    }
    await expect.poll(() => count(zoe, 'was stopped by the administrator'), { timeout: 20_000 }).toBe(2);
    expect((await zoe.ask('/status')).text).toContain('stopped');
    expect((await berth.admin.ask('/force_stop ALL')).text).toContain('No VM is running');
  });
});

describe('/force_destroy', () => {
  it('has nobody to ask about where there is no VM', async () => {
    expect((await berth.admin.ask('/force_destroy 987654')).text).toContain('987654 has no VM');
  });

  it('asks first, naming the VMs, and drops the question', async () => {
    const question = await berth.admin.ask(`/force_destroy ${ann.id} the project is over`);
    expect(question.text).toContain(`box-${ann.id} of Ann`);
    expect(question.text).toContain('the project is over');
    expect(labels(question)).toEqual(['🗑 Yes, destroy them', 'Keep them']);
    const yes = dataOf(question, '🗑 Yes, destroy them');
    await berth.admin.pressAndWait(question, 'Keep them');
    await berth.admin.waitForMessage(says('Nothing is destroyed'));
    expect(await owners()).toEqual([ann.id, bob.id, zoe.id]);
    // What was dropped stays dropped, also for a client that still shows the button.
    await forge(berth.admin, yes);
    await berth.admin.ask('/plans');
    expect(await owners()).toEqual([ann.id, bob.id, zoe.id]);
  });

  it('is not to be confirmed by a user, with the data of the button either', async () => {
    const question = await berth.admin.ask(`/force_destroy ${bob.id}`);
    await forge(ann, dataOf(question, '🗑 Yes, destroy them'));
    await ann.ask('/plans');
    expect(count(berth.admin, 'Destroying')).toBe(0);
    expect(await owners()).toEqual([ann.id, bob.id, zoe.id]);
  });

  it('destroys the VMs that it named and nothing else; the owners are told', async () => {
    const question = await berth.admin.ask('/force_destroy all leaving the building', says('3 VMs'));
    for (const person of [ann, bob, zoe]) expect(question.text).toContain(`box-${person.id}`);
    // One that comes after the question was not in it.
    await bob.pressAndWait(await bob.ask('/destroy', says('for good')), 0);
    await bob.waitForMessage(says('is destroyed'), long);
    const made = await bob.ask('/create newer', says('is running'), { timeoutMs: 60_000 });

    const yes = dataOf(question, '🗑 Yes, destroy them');
    await berth.admin.pressAndWait(question, '🗑 Yes, destroy them');
    const told = await berth.admin.waitForMessage(
      (message) => newer(question, "Destroying everybody's VMs")(message) && !message.text.includes('⏳'),
      long,
    );
    expect(told.text).toContain('✅ 2 of 2 VMs destroyed.');
    for (const person of [ann, zoe]) {
      const why = await person.waitForMessage(says('was destroyed by the administrator'), long);
      expect(why.text).toContain('Reason: leaving the building');
      expect(labels(why)).toEqual(['➕ Create a VM']);
    }
    expect(await owners()).toEqual([bob.id]);
    expect(await findVolumes(berth.instance)).toHaveLength(1);
    expect(bob.messages().filter(newer(made, 'destroyed'))).toEqual([]);

    // Pressed a second time it has nothing to do.
    await forge(berth.admin, yes);
    await berth.admin.ask('/plans');
    expect(await owners()).toEqual([bob.id]);
    expect(count(berth.admin, "Destroying everybody's VMs")).toBe(1);
  });

  it('does nothing any more once the question has expired', async () => {
    const question = await berth.admin.ask(`/force_destroy ${bob.id}`, says('this VM'));
    await berth.bot().end();
    await makeQuestionsOld(berth.dataDir);
    await berth.startBot();
    const answer = await berth.admin.pressAndWait(question, '🗑 Yes, destroy them');
    expect(answer.text).toContain('expired');
    expect(await owners()).toEqual([bob.id]);
  });

  it('lets the people make a new VM at once', async () => {
    await ann.ask('/create again', says('again is running'), { timeoutMs: 60_000 });
  });
});
