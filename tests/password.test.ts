import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Berth, startBerth } from './support/berth.ts';
import type { ChatMessage, Participant } from './support/practice-client.ts';
import { readAccess, ssh } from './support/ssh.ts';
import { placesWith } from './support/stored.ts';

/** New passwords, for VMs in every state. The steps build on each other. */

type Access = ReturnType<typeof readAccess>;

let berth: Berth;
let person: Participant;
/** How to get into `box`, as the chat told last. */
let access: Access;
/** Every password that the chat ever told. */
const told = new Set<string>();

const says =
  (...parts: string[]) =>
  ({ text, fromBot }: ChatMessage) =>
    fromBot && parts.every((part) => text.includes(part));
const long = { timeoutMs: 60_000 };
const labels = (message: ChatMessage) => message.buttons.flat().map(({ text }) => text);
const read = (message: ChatMessage): Access => {
  const found = readAccess(message);
  told.add(found.password);
  return found;
};
const expectOnlyNew = async (before: Access, after: Access): Promise<void> => {
  expect(after).toMatchObject({ port: before.port, host: before.host });
  expect(after.password).not.toBe(before.password);
  expect(await ssh(after, 'whoami')).toBe('dev');
  await expect(ssh(before, 'whoami')).rejects.toThrow(/Permission denied/);
};

beforeAll(async () => {
  berth = await startBerth();
  await berth.admin.ask('/start');
  await berth.admin.ask('/config_plan 1 max_vms 2', says('2 VMs'));
  person = await berth.newUser('Pia');
  access = read(await person.ask('/create box', says('box is running'), long));
});
afterAll(() => berth?.stop());

describe('/password', () => {
  it('gives a VM that runs a new one at once, and the old one no longer opens it', async () => {
    const answer = await person.ask('/password', says('box has a new password'));
    expect(answer.text).toContain('the old one no longer works');
    const { password } = readAccess(answer);
    expect(password.length).toBeGreaterThanOrEqual(20);
    const at = answer.text.indexOf(password);
    const around = answer.entities.filter(({ offset, length }) => offset <= at && offset + length > at);
    expect(around.map(({ type }) => type).sort()).toEqual(['code', 'expandable_blockquote']);
    await expectOnlyNew(access, read(answer));
    access = readAccess(answer);
    expect(read(await person.ask('/status'))).toEqual(access);
  });

  it('gives a stopped one a new one from its next start on', async () => {
    await person.ask('/stop', says('box is stopped'), long);
    const answer = await person.ask('/password box', says('new password'));
    expect(answer.text).toContain('from its next start on');
    expect(labels(answer)).toContain('▶️ Start');
    const started = await person.ask('/start_vm', says('running again'), long);
    expect(readAccess(started)).toEqual(read(answer));
    await expectOnlyNew(access, readAccess(started));
    access = readAccess(started);
  });

  it('two at once, and one beside a new key: what the chat shows is what opens the VM', async () => {
    const [worker] = berth.workers();
    worker!.signal('SIGSTOP');
    const { id } = await person.send('/password');
    await person.send('/password');
    const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDbv7KfYtUGKxTDLOLwZ7m9/7cbVpvzvVh7n1HptY0mz';
    await person.ask(`/ssh_key ${key} pia`, says('box: on its way'));
    worker!.signal('SIGCONT');
    await person.waitForMessage((message) => message.id > id && says('box: in force')(message), long);
    const changed = () =>
      person.messages().filter((message) => message.id > id && says('box has a new password')(message));
    await expect.poll(() => changed().length, { timeout: 10_000 }).toBe(2);
    const shown = read(await person.ask('/status'));
    await expectOnlyNew(access, shown);
    access = shown;
  });

  it('followed by a restart at once: what the chat shows is what opens the VM', async () => {
    const [worker] = berth.workers();
    worker!.signal('SIGSTOP');
    await person.ask('/password', says('Giving box a new password'));
    await person.send('/restart');
    const ended = await person.waitForMessage(says('box did not get a new password'));
    expect(ended.text).toContain('/password');
    worker!.signal('SIGCONT');
    await person.waitForMessage((message) => message.id > ended.id && says('running again')(message), long);
    const shown = read(await person.ask('/status'));
    expect(await ssh(shown, 'whoami')).toBe('dev');
    access = shown;
  });

  /** What `/password two` is answered while the worker stands still in the middle of something. */
  const askMeanwhile = async (command: string, begins: string): Promise<ChatMessage> => {
    const [worker] = berth.workers();
    worker!.signal('SIGSTOP');
    try {
      const begun = await person.ask(command, says(begins));
      return await person.ask('/password two', ({ id, text }) => id !== begun.id && !text.includes(begins));
    } finally {
      worker!.signal('SIGCONT');
    }
  };

  it('of a VM that is being created, restarted or stopped is refused, saying what to do', async () => {
    const creating = await askMeanwhile('/create two', 'Creating two');
    expect(creating.text).toContain('two is still being created. You will read here when it is ready');
    read(await person.waitForMessage(says('two is running'), long));
    const starting = await askMeanwhile('/restart two', 'Restarting two');
    expect(starting.text).toContain('two is just starting');
    await person.waitForMessage(says('two is running again'), long);
    const stopping = await askMeanwhile('/stop two', 'Stopping two');
    expect(stopping.text).toContain('send /password again');
    await person.waitForMessage(says('two is stopped'), long);
  });

  it('with several VMs is asked which one, and only that one changes', async () => {
    const question = await person.ask('/password', says('Which VM'));
    expect(labels(question)).toEqual(['box', 'two']);
    await person.pressAndWait(question, 'box');
    const answer = await person.waitForMessage(
      (message) => message.id > question.id && says('box has a new password')(message),
    );
    await expectOnlyNew(access, read(answer));
    access = readAccess(answer);
  });

  it.each([
    ['/password nothere', 'no VM called nothere'],
    ['/password two words', 'Example: /password'],
  ])('answers %s with what is wrong', async (text, words) => {
    expect((await person.ask(text)).text).toContain(words);
  });

  it('that the VM does not take leaves the old one, and says so', async () => {
    await ssh(access, 'sudo sh -c "mv /usr/sbin/chpasswd /usr/sbin/chpasswd.away"');
    const answer = await person.ask('/password box', says('did not get a new password'), long);
    expect(answer.text).toContain('The old one may still hold');
    expect(read(await person.ask('/status box'))).toEqual(access);
    await ssh(access, 'sudo sh -c "mv /usr/sbin/chpasswd.away /usr/sbin/chpasswd"');
  });

  it('while no worker is there waits, and the old one stays shown and valid', async () => {
    await berth.workers()[0]!.end('SIGKILL');
    const waiting = await person.ask('/password box');
    expect(waiting.text).toContain('Giving box a new password');
    const shown = read(await person.ask('/status box'));
    expect(shown).toEqual(access);
    expect(await ssh(shown, 'whoami')).toBe('dev');
    await berth.startWorker();
    const done = await person.waitForMessage(
      (message) => message.id === waiting.id && says('has a new password')(message),
      long,
    );
    await expectOnlyNew(access, read(done));
  });

  it('is nowhere in clear: not in events, Redis, or logs', async () => {
    expect(told.size).toBeGreaterThanOrEqual(7);
    for (const password of told) expect(await placesWith(berth, password)).toEqual([]);
  });
});
