import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commands } from '../services/bot/commands/index.ts';
import { administratorId, type Berth, startBerth } from './support/berth.ts';
import type { Participant } from './support/practice-client.ts';

/** What Telegram offers behind the slash, to whom, and after the administrators have changed. The steps build on each other. */

let berth: Berth;
let user: Participant;
let stranger: Participant;
let successor: Participant;

const names = async (person: Participant): Promise<string[]> =>
  (await person.commands()).map(({ command }) => command);
const forUsers = commands.filter(({ access }) => access !== 'administrator').map(({ name }) => name);
const all = commands.map(({ name }) => name);
const expectMenu = (person: Participant, wanted: string[]) =>
  expect.poll(() => names(person), { timeout: 10_000 }).toEqual(wanted);

beforeAll(async () => {
  berth = await startBerth({ workers: 0 });
  await berth.admin.ask('/start');
  user = await berth.newUser('Una');
  const people = [
    { firstName: 'Sid', id: 60_001 },
    { firstName: 'Nia', id: 60_002 },
  ];
  [stranger, successor] = (await Promise.all(
    people.map(async (person) => berth.chat.person((await berth.chat.addPerson(person)).id)),
  )) as [Participant, Participant];
});
afterAll(() => berth?.stop());

const restartWith = async (administrators: string): Promise<void> => {
  await berth.bot().end();
  await berth.startBot({ ADMIN_USER_ID: administrators });
};

describe('the menu', () => {
  it("is the users' by default, and the administrators' in their chats", async () => {
    await expectMenu(berth.admin, all);
    await expectMenu(user, forUsers);
    await expectMenu(stranger, forUsers);
    const group = await berth.chat.createGroup({ title: 'All', members: [berth.admin.id, user.id] });
    await expectMenu(berth.chat.group(group.id, berth.admin.id), forUsers);
  });

  it('says of each command what it does, in words that fit into it', async () => {
    for (const { command, description } of await berth.admin.commands()) {
      expect(description, command).toBe(commands.find(({ name }) => name === command)!.summary);
      expect(description.length, command).toBeLessThanOrEqual(60);
    }
  });

  it('stays the same when somebody is let in or taken off the list', async () => {
    await stranger.ask('/start');
    await berth.admin.ask(`/allow_user ${stranger.id}`);
    await stranger.waitForMessage(({ text }) => text.includes('You may use Berth now'));
    await expectMenu(stranger, forUsers);
    await berth.admin.ask(`/remove_user ${stranger.id}`);
    await expectMenu(stranger, forUsers);
  });

  it('follows when another one is administrator after a restart, who had never written before', async () => {
    await restartWith(`${successor.id}`);
    await expectMenu(berth.admin, forUsers);
    await expectMenu(successor, forUsers);
    await successor.ask('/start');
    await expectMenu(successor, all);
    // The menu is a courtesy: the right itself is gone as well.
    expect((await berth.admin.ask('/list_allowed')).text).toContain('you are not on it');
  });

  it('of a former administrator goes also while Telegram is out for a moment', async () => {
    await berth.bot().end();
    await berth.chat.fault({ kind: 'server-error', method: 'deleteMyCommands', times: 1 });
    await berth.startBot({ ADMIN_USER_ID: `${administratorId},${user.id}` });
    await expectMenu(berth.admin, all);
    await expectMenu(user, all);
    await expectMenu(successor, forUsers);
  });

  it('of two administrators is kept where one of them stays', async () => {
    await restartWith(`${user.id}`);
    await expectMenu(berth.admin, forUsers);
    await expectMenu(user, all);
    const sets = (await berth.chat.calls()).filter(({ method }) => method === 'setMyCommands');
    await restartWith(`${user.id}`);
    expect((await user.ask('/help')).text).toContain('/allow_user');
    await expectMenu(user, all);
    // What is right already is not sent again.
    const after = (await berth.chat.calls()).filter(({ method }) => method === 'setMyCommands');
    expect(after).toHaveLength(sets.length);
  });
});
