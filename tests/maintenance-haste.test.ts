import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Berth, startBerth } from './support/berth.ts';
import { findContainers } from './support/docker.ts';
import type { ChatMessage, Participant } from './support/practice-client.ts';

/** Orders of maintenance that overtake the work of the ones before: the last one counts. */

let berth: Berth;
let ann: Participant;
let bob: Participant;

const says =
  (...parts: string[]) =>
  ({ text, fromBot }: ChatMessage) =>
    fromBot && parts.every((part) => text.includes(part));
const long = { timeoutMs: 40_000 };
const runningOwners = async () =>
  (await findContainers(berth.instance))
    .filter(({ State }) => State === 'running')
    .map(({ Labels }) => Number(Labels['berth.owner']))
    .sort();
let orders = 0;
const give = async (...words: string[]): Promise<void> => {
  orders += words.length;
  for (const word of words) await berth.admin.send(`/maintenance ${word}`);
};
/** The last order's message, once each has one and there is nothing left to do. */
const settled = (): Promise<ChatMessage> =>
  vi.waitFor(() => {
    const told = berth.admin.messages().filter(({ text }) => /Maintenance is (on|off)\. /.test(text));
    expect(told).toHaveLength(orders);
    const last = told.at(-1)!;
    expect(last.text).not.toContain('⏳');
    return last;
  }, 25_000);

beforeAll(async () => {
  berth = await startBerth({ workers: 2 });
  await berth.admin.ask('/start');
  ann = await berth.newUser('Ann');
  bob = await berth.newUser('Bob');
  await ann.ask('/create', says('is running'), { timeoutMs: 60_000 });
});
afterAll(() => berth?.stop());

describe('maintenance in haste', () => {
  it('is over at once: what runs and what is being created run in the end', async () => {
    await bob.send('/create');
    await give('on', 'off', 'on', 'off');
    await settled();
    await expect.poll(runningOwners, { timeout: 20_000 }).toEqual([ann.id, bob.id]);
    await expect
      .poll(async () => (await ann.ask('/status', says('box'))).text, { timeout: 20_000 })
      .toContain('🟢');
    await bob.waitForMessage(says('box is running'), long);
    expect((await berth.admin.ask('/maintenance off')).text).toContain('/maintenance on');
  });

  it('is on in the end, and everything stopped until it is over', async () => {
    await give('on', 'off', 'on');
    expect((await settled()).text).toContain('Maintenance is on');
    await expect.poll(runningOwners, { timeout: 20_000 }).toEqual([]);
    await give('off');
    const told = await settled();
    expect(told.text).toContain('✅ 2 of 2 VMs started.');
    expect(await runningOwners()).toEqual([ann.id, bob.id]);
  });

  it('leaves a VM stopped whose owner is taken off the list meanwhile', async () => {
    await give('on');
    await settled();
    await berth.admin.ask(`/remove_user ${bob.id}`, says('off the list'));
    await give('off');
    const told = await settled();
    expect(told.text).toContain('✅ 1 of 1 VM started.');
    expect(await runningOwners()).toEqual([ann.id]);
    await berth.admin.ask(`/allow_user ${bob.id}`, says('may use Berth'));
    await bob.ask('/start_vm', says('is running again'), long);
  });
});
