import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { administratorId, type Berth, startBerth } from './support/berth.ts';
import { docker, findContainers } from './support/docker.ts';
import type { ChatMessage, Participant } from './support/practice-client.ts';

/** Somebody is taken off the list, whatever they are doing, and comes back to all their data. */

let berth: Berth;
let ann: Participant;
/** Of Ann, from before she was removed: a VM that runs, one that is stopped, and a question. */
let cards: { running: ChatMessage; stopped: ChatMessage; question: ChatMessage };

const says =
  (...parts: string[]) =>
  ({ text, fromBot }: ChatMessage) =>
    fromBot && parts.every((part) => text.includes(part));
const long = { timeoutMs: 40_000 };
const labels = (message: ChatMessage) => message.buttons.flat().map(({ text }) => text);
const settled =
  (...parts: string[]) =>
  (message: ChatMessage) =>
    says(...parts)(message) && !message.text.includes('⏳');
const containersOf = async (owner: number) =>
  (await findContainers(berth.instance)).filter(({ Labels }) => Labels['berth.owner'] === `${owner}`);
const statesOf = async (owner: number) => (await containersOf(owner)).map(({ State }) => State);
/** Programs that run in the person's VM. */
const programs = async (owner: number): Promise<string> => {
  const [container] = await containersOf(owner);
  const { Processes } = await docker.getContainer(container!.Id).top({ ps_args: '-eo pid,args' });
  return JSON.stringify(Processes);
};

beforeAll(async () => {
  berth = await startBerth({ workers: 2, env: { EXEC_TIMEOUT: '100' } });
  await berth.admin.ask('/start');
  await berth.admin.ask('/config_plan 2 max_vms 2');
  ann = await berth.newUser('Ann', 2);
  await ann.ask('/create box', says('box is running'), { timeoutMs: 60_000 });
});
afterAll(() => berth?.stop());

describe('/remove_user', () => {
  it.each([
    ['/remove_user', 'Example: /remove_user'],
    ['/remove_user @nobody_here', 'nobody_here'],
    ['/remove_user 987654', '987654 is not on the list'],
    [`/remove_user ${administratorId}`, 'is an administrator by the configuration'],
  ])('answers %s with what is so', async (text, problem) => {
    expect((await berth.admin.ask(text)).text).toContain(problem);
  });

  it('stops their VM, ends their running command at once, and tells them', async () => {
    await ann.ask('/exec echo kept > file; sync', says('Done'), long);
    cards = {
      stopped: await ann.ask('/status'),
      running: await ann.ask('/status'),
      question: await ann.ask('/destroy', says('for good')),
    };
    const command = await ann.ask('/exec trap "" TERM; echo here; sleep 97', says('here'), long);
    expect(await programs(ann.id)).toContain('sleep 97');
    const told = await berth.admin.ask(`/remove_user ${ann.id}`, settled('is off the list', 'stopped'), long);
    expect(told.text).toContain('Ann is off the list');
    expect(told.text).toContain('✅ 1 of 1 VM stopped.');
    expect(await statesOf(ann.id)).toEqual(['exited']);

    const ended = await ann.waitForMessage(
      ({ id, text }) => id === command.id && /Cancelled\.|❌/.test(text),
      long,
    );
    expect(ended.text).toContain('here');
    await ann.waitForMessage(says('taken you off', 'box'));
    const stopped = await ann.waitForMessage(says('box is stopped'), long);
    expect(labels(stopped)).toEqual([]);
  });

  it('has nobody to remove a second time', async () => {
    expect((await berth.admin.ask(`/remove_user ${ann.id}`)).text).toContain('is not on the list');
  });

  it('keeps them from every command', async () => {
    const texts = ['/create other', '/status', '/start_vm', '/exec id', '/destroy', '/password', '/cancel'];
    for (const text of texts) {
      const answer = await ann.ask(text);
      expect(answer.text, text).toContain("taken off Berth's list");
      expect(labels(answer), text).toEqual(['🙋 Ask for access']);
    }
    expect(await statesOf(ann.id)).toEqual(['exited']);
  });

  it('keeps them from every old button', async () => {
    const old = [cards.running, cards.stopped, cards.question].flatMap((message) =>
      message.buttons.flat().map((button) => ({ message, button })),
    );
    expect(old.length).toBeGreaterThan(6);
    for (const { message, button } of old) {
      const answer = await ann.pressAndWait(message, button.text).catch((error: Error) => error.message);
      expect(JSON.stringify(answer), button.text).toMatch(/not for you|no button|has no/);
    }
    expect(await statesOf(ann.id)).toEqual(['exited']);
    expect(await containersOf(ann.id)).toHaveLength(1);
  });

  it('is undone by /allow_user with the plan that they had, and the data is there', async () => {
    const welcome = await berth.admin.ask(`/allow_user ${ann.id}`);
    expect(welcome.text).toContain('Standard');
    await ann.waitForMessage(says('box', 'Standard'), long);
    expect((await ann.ask('/plans', says('Basic'))).text).toMatch(/Standard — .+\(yours\)/);
    await ann.ask('/start_vm', says('box is running again'), long);
    const file = await ann.ask('/exec cat file', says('Done'), long);
    expect(file.text).toContain('\nkept\n');
    await ann.ask('/exec pgrep -c sleep; true', says('Done'), long);
    expect(await programs(ann.id)).not.toContain('sleep 97');
  });

  it('stops a VM that is being created, and one that is being restarted, as soon as they are up', async () => {
    await ann.send('/restart box');
    const before = await ann.send('/create late');
    const told = await berth.admin.ask(`/remove_user ${ann.id}`, says('2 of 2 VMs stopped'), long);
    expect(told.text).toContain('off the list');
    expect(await statesOf(ann.id)).toEqual(['exited', 'exited']);
    for (const name of ['box', 'late']) {
      const stopped = await ann.waitForMessage(
        ({ id, text }) => id > before.id && text.includes(`${name} is stopped.`),
        long,
      );
      expect(labels(stopped)).toEqual([]);
    }
  });

  it('gives back both, also with another plan', async () => {
    await berth.admin.ask(`/allow_user ${ann.id} 3`, says('Pro'));
    await ann.waitForMessage(says('again', 'Pro'), long);
    const status = await ann.ask('/status', says('late'));
    expect(status.text).toContain('stopped');
    await ann.ask('/start_vm late', says('late is running again'), long);
  });
});
