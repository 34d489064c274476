import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Berth, startBerth } from './support/berth.ts';
import { findContainers } from './support/docker.ts';
import type { ChatMessage, Participant } from './support/practice-client.ts';
import { readAccess, ssh } from './support/ssh.ts';

/** Maintenance from its beginning to its end, with two administrators and four people. */

const secondId = 4002;
let berth: Berth;
let second: Participant;
let ann: Participant;
let bob: Participant;
let cai: Participant;
let dan: Participant;
/** Made before the maintenance, with a button to start. */
let oldCard: ChatMessage;

const says =
  (...parts: string[]) =>
  ({ text, fromBot }: ChatMessage) =>
    fromBot && parts.every((part) => text.includes(part));
const long = { timeoutMs: 40_000 };
const labels = (message: ChatMessage) => message.buttons.flat().map(({ text }) => text);
const count = (person: Participant, part: string) => person.messages().filter(says(part)).length;

/** Names of the VMs that run, as Docker knows it. */
const running = async () => {
  const up = (await findContainers(berth.instance)).filter(({ State }) => State === 'running');
  return up.map(({ Labels }) => Number(Labels['berth.owner'])).sort();
};

/** An order of the administrator and its message once all VMs have come to their ends. */
const order = async (text: string, ...parts: string[]) =>
  berth.admin.ask(text, (message) => says(...parts)(message) && !message.text.includes('⏳'), long);

beforeAll(async () => {
  berth = await startBerth({ workers: 2, env: { ADMIN_USER_ID: `4001,${secondId}` } });
  await berth.chat.addPerson({ firstName: 'Sue', id: secondId });
  second = berth.chat.person(secondId);
  await Promise.all([berth.admin.ask('/start'), second.ask('/start')]);
  ann = await berth.newUser('Ann');
  bob = await berth.newUser('Bob');
  cai = await berth.newUser('Cai');
  dan = await berth.newUser('Dan');
  const made = [ann, bob, cai].map((person, place) =>
    person.ask(`/create box-${place}`, says('is running'), { timeoutMs: 60_000 }),
  );
  await Promise.all(made);
  await cai.ask('/stop', says('is stopped'), long);
  oldCard = await cai.ask('/status', (message) => labels(message).includes('▶️ Start'));
});
afterAll(() => berth?.stop());

describe('/maintenance', () => {
  it('on stops what runs and what is being created, and tells the owners and all administrators', async () => {
    await dan.ask('/create late', says('Creating'));
    const told = await order('/maintenance on', 'Maintenance is on', 'stopped');
    expect(told.text).toContain('✅ 3 of 3 VMs stopped.');
    await second.waitForMessage(says('Maintenance is on, by ', '3 of 3 VMs stopped'), long);
    for (const person of [ann, bob, dan]) {
      const stopped = await person.waitForMessage(says('is stopped for maintenance'), long);
      expect(labels(stopped)).not.toContain('▶️ Start');
    }
    expect(count(cai, 'maintenance')).toBe(0);
    expect(await running()).toEqual([]);
    // One message per administrator, edited as the VMs come to their ends.
    expect(count(berth.admin, 'Maintenance is on')).toBe(1);
  });

  it('refuses to begin twice, saying since when it is on', async () => {
    expect((await berth.admin.ask('/maintenance on')).text).toMatch(/on already, since .+\/maintenance off/);
  });

  it.each(['/maintenance', '/maintenance perhaps', '/maintenance on now'])(
    'answers %s with the usage',
    async (text) => {
      expect((await berth.admin.ask(text)).text).toMatch(/on or off[\s\S]*Example: \/maintenance on/);
    },
  );

  it('keeps users from creating and starting, by commands and by old buttons', async () => {
    for (const [person, text] of [
      [ann, '/create more'],
      [ann, '/start_vm'],
      [bob, '/restart'],
      [cai, '/start_vm'],
    ] as const) {
      const refused = await person.ask(text);
      expect(refused.text).toContain('What it stopped starts again by itself');
    }
    await cai.pressAndWait(oldCard, '▶️ Start');
    await expect.poll(() => count(cai, 'What it stopped starts again by itself')).toBe(2);
    expect((await ann.ask('/status')).text).toContain('stopped');
    expect(await running()).toEqual([]);
  });

  it('keeps nobody from stopping, destroying and looking', async () => {
    expect((await ann.ask('/stop')).text).toContain('stopped for maintenance');
    expect((await ann.ask('/exec id')).text).toContain('stopped for maintenance');
  });

  it('lets administrators create and start', async () => {
    await second.ask('/create office', says('is running'), { timeoutMs: 60_000 });
    await second.ask('/stop', says('is stopped'), long);
    await second.ask('/start_vm', says('is running again'), long);
    expect(await running()).toEqual([secondId]);
  });

  it('off starts exactly those again', async () => {
    const told = await order('/maintenance off', 'Maintenance is off', 'started');
    expect(told.text).toContain('✅ 3 of 3 VMs started.');
    await second.waitForMessage(says('Maintenance is off', '3 of 3 VMs started'), long);
    for (const person of [ann, bob, dan]) {
      const again = await person.waitForMessage(says('Maintenance is over', 'is running again'), long);
      expect(labels(again)).toContain('⏹ Stop');
      expect(await ssh(readAccess(again), 'echo in')).toBe('in');
    }
    expect(await running()).toEqual([secondId, ann.id, bob.id, dan.id]);
    expect((await cai.ask('/status')).text).toContain('stopped');
    expect(count(cai, 'Maintenance is over')).toBe(0);
  });

  it('has nothing to end a second time', async () => {
    expect((await berth.admin.ask('/maintenance off')).text).toContain('/maintenance on');
  });

  it('leaves a VM stopped that was stopped by force meanwhile, and forgets one that was destroyed', async () => {
    await order('/maintenance on', 'Maintenance is on', '4 of 4 VMs stopped');
    const forced = await order(`/force_stop ${ann.id} too many connections`, 'Stopping the VMs of Ann');
    expect(forced.text).toContain('1 VM stays stopped');
    const why = await ann.waitForMessage(says('too many connections'));
    expect(why.text).toContain('does not start again by itself');
    await bob.pressAndWait(await bob.ask('/destroy', says('for good')), 0);
    await bob.waitForMessage(says('is destroyed'), long);

    const off = await order('/maintenance off', 'Maintenance is off', 'started');
    expect(off.text).toContain('✅ 2 of 2 VMs started.');
    expect(await running()).toEqual([secondId, dan.id]);
    expect((await ann.ask('/status')).text).toContain('stopped');
    await ann.ask('/start_vm', says('is running again'), long);
  });
});
