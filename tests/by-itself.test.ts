import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Berth, startBerth } from './support/berth.ts';
import { docker, findContainers } from './support/docker.ts';
import type { ChatMessage, Participant } from './support/practice-client.ts';
import { readAccess, ssh } from './support/ssh.ts';

/**
 * What happens to VMs without anybody asking, heard by two workers at once. Each person has one VM, which bears their
 * name. That Docker or the host begins anew is tried in engine-restarted.test.ts, operations that time out in
 * services/bot/sweeper.test.ts.
 */

let berth: Berth;
const people = new Map<string, Participant>();

const says = (part: string) => (message: ChatMessage) => message.fromBot && message.text.includes(part);
const labels = (message: ChatMessage) => message.buttons.flat().map(({ text }) => text);
const person = (name: string): Participant => people.get(name)!;

const create = async (name: string, plan = 1): Promise<void> => {
  const owner = await berth.newUser(name, plan);
  people.set(name, owner);
  await owner.ask(`/create ${name}`, says('is running'), { timeoutMs: 40_000 });
};
const containerOf = async (name: string) => {
  const all = await findContainers(berth.instance);
  const { Id } = all.find(({ Labels }) => Labels['berth.owner'] === `${person(name).id}`)!;
  return docker.getContainer(Id);
};
const news = (name: string) =>
  person(name)
    .messages()
    .filter(({ fromBot, text }) => fromBot && /^(🛑|⚠️ \S+ ran out|🔴 The container)/.test(text));

beforeAll(async () => {
  berth = await startBerth({ workers: 2 });
  await berth.admin.ask('/config_plan 2 ram 128m', says('128 MB'));
  for (const name of ['kim', 'pia', 'gus', 'lou', 'ned', 'sue', 'bob', 'tom']) await create(name);
  await create('mem', 2);
});
afterAll(() => berth?.stop());

describe('the owner hears', () => {
  it('that a VM was killed on the host, what ran in it then, and how to go on', async () => {
    const command = await person('kim').ask('/exec echo begun; sleep 9', says('\nbegun'));
    await (await containerOf('kim')).kill();
    const told = await person('kim').waitForMessage(says('was killed on the host'));
    expect(told.text).toContain('/start_vm');
    expect(labels(told)).toEqual(['▶️ Start', 'ℹ️ Status', '🗑 Destroy']);
    const ended = await person('kim').waitForMessage(
      ({ id, text }) => id === command.id && !text.includes('⏳'),
    );
    expect(ended.text).toContain('The VM stopped meanwhile');
    await person('kim').waitForMessage(
      ({ id, text }) => id === command.id && text.includes('\nbegun') && text.includes('stopped meanwhile'),
    );
    await person('kim').pressAndWait(told, '▶️ Start');
    await person('kim').waitForMessage(says('is running again'), { timeoutMs: 20_000 });
  });

  it('that a command did not run whose VM is killed at that very moment', async () => {
    const [sent] = await Promise.all([
      person('bob').send('/exec sleep 9'),
      (await containerOf('bob')).kill(),
    ]);
    const answer = await person('bob').waitForMessage(
      ({ id, fromBot, text }) => fromBot && id > sent.id && !/⏳|🛑/.test(text),
    );
    expect(answer.text).toMatch(/The VM stopped meanwhile|bob is stopped/);
    await person('bob').waitForMessage(says('was killed on the host'));
  });

  it('that it stopped by itself, when its first process is ended from inside', async () => {
    await person('pia').ask('/exec sudo kill 1');
    const told = await person('pia').waitForMessage(says('stopped by itself'));
    expect(told.text).toMatch(/exit code \d+/);
    expect(await person('pia').ask('/exec date')).toMatchObject({ text: expect.stringMatching(/start_vm/) });
  });

  it('that memory ran out for a program, with the limit, and the VM goes on', async () => {
    const hungry = `python3 -c "x = bytearray(400 * 1024 ** 2); print(len(x))"`;
    const answer = await person('mem').ask(`/exec ${hungry}`, ({ text }) => /Exit code|Done|❌/.test(text));
    expect(answer.text).toContain('Exit code 137');
    const told = await person('mem').waitForMessage(says('ran out of memory'));
    expect(told.text).toMatch(/limit is 128 MB/);
    const status = await person('mem').ask('/status', says('up '));
    expect(await ssh(readAccess(status), 'hostname')).toBe('mem');
  });

  it('that its container vanished, and /destroy and /create give another', async () => {
    await (await containerOf('gus')).remove({ force: true });
    const told = await person('gus').waitForMessage(says('has vanished'));
    expect(labels(told)).toEqual(['🗑 Destroy']);
    const question = await person('gus')
      .pressAndWait(told, '🗑 Destroy')
      .then(() =>
        person('gus').waitForMessage(({ id, text }) => id >= told.id && /home|permanent/i.test(text)),
      );
    expect(question.text).toContain('gus');
    await person('gus').pressAndWait(question, 0);
    await person('gus').waitForMessage(says('is destroyed'), { timeoutMs: 20_000 });
    await person('gus').ask('/create gus', says('is running'), { timeoutMs: 20_000 });
  });

  it('the same of a VM that was stopped', async () => {
    await person('tom').ask('/stop', says('is stopped'), { timeoutMs: 20_000 });
    await (await containerOf('tom')).remove();
    await person('tom').waitForMessage(says('has vanished'));
  });
});

describe('while no worker is there', () => {
  it('nothing is told of VMs that end, and all of it once one is back', async () => {
    await person('ned').ask('/stop', says('is stopped'), { timeoutMs: 20_000 });
    await Promise.all(berth.workers().map((worker) => worker.end()));
    await (await containerOf('lou')).kill();
    await (await containerOf('ned')).remove({ force: true });
    expect(news('lou')).toEqual([]);
    await Promise.all([berth.startWorker(), berth.startWorker()]);
    await person('lou').waitForMessage(says('was killed on the host'));
    await person('ned').waitForMessage(says('has vanished'));
  });
});

describe('in all of this', () => {
  it('nobody was told anything twice, and nothing to those whose VMs went on', async () => {
    await person('sue').ask('/exec echo still here', says('still here'));
    const counts = Object.fromEntries([...people.keys()].map((name) => [name, news(name).length]));
    expect(counts).toEqual({ kim: 1, bob: 1, pia: 1, mem: 1, gus: 1, tom: 1, lou: 1, ned: 1, sue: 0 });
    const history = await person('kim').ask('/history', says('killed'));
    expect(history.text.match(/killed/g)).toHaveLength(1);
  });
});

describe('a stopped VM that somebody starts on the host, past Berth', () => {
  it('is stopped again, and its owner hears of it', async () => {
    await person('sue').ask('/stop', says('is stopped'), { timeoutMs: 20_000 });
    const container = await containerOf('sue');
    await container.start();
    // Workers look at everything when Docker comes back, and every minute; a restarted worker looks at once.
    const worker = berth.workers().shift()!;
    await worker.end('SIGKILL');
    await berth.startWorker();
    await person('sue').waitForMessage(says('had been started on the host past Berth'), {
      timeoutMs: 20_000,
    });
    expect((await container.inspect()).State.Running).toBe(false);
    await person('sue').ask('/start_vm', says('is running again'), { timeoutMs: 20_000 });
  });
});
