import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type DockerProxy, type Fault, startDockerProxy } from '../services/worker/testing/docker-proxy.ts';
import { type Berth, startBerth } from './support/berth.ts';
import { findContainers } from './support/docker.ts';
import type { ChatMessage, Participant } from './support/practice-client.ts';

/** Docker does not answer, or not as it should: people read what is going on, and what they asked for is done, once. */

let proxy: DockerProxy;
let berth: Berth;
let ann: Participant;
let ben: Participant;
/** Whose VM is destroyed, and who makes one, while Docker is away; they take turns. */
let leaving: Participant;
let coming: Participant;

const says = (part: string) => (message: ChatMessage) => message.fromBot && message.text.includes(part);
const showsNow = async (person: Participant, id: number, part: string, timeoutMs: number) => {
  const begun = performance.now();
  await person.waitForMessage((message) => message.id === id && message.text.includes(part), { timeoutMs });
  return (performance.now() - begun) / 1_000;
};
/** Until the worker has noticed that Docker is as it was. */
const recovered = async () => {
  proxy.faultOf = () => undefined;
  await berth.admin.ask('/admin_info', says('Docker 2'), { timeoutMs: 20_000 });
};

beforeAll(async () => {
  proxy = await startDockerProxy();
  berth = await startBerth({ env: { DOCKER_HOST: proxy.address } });
  ann = await berth.newUser('Ann');
  ben = await berth.newUser('Ben');
  leaving = await berth.newUser('Lea');
  coming = await berth.newUser('Coy');
  await Promise.all([
    ann.ask('/create box', says('box is running'), { timeoutMs: 60_000 }),
    ben.ask('/create den', says('den is running'), { timeoutMs: 60_000 }),
    leaving.ask('/create inn', says('inn is running'), { timeoutMs: 60_000 }),
  ]);
}, 240_000);
afterEach(() => {
  proxy.faultOf = () => undefined;
});
afterAll(async () => {
  await berth?.stop();
  await proxy?.close();
});

const waitsFor = 'Docker does not answer; your command waits';

describe.each([
  ['hangs', 'hang'],
  ['is away', 'refuse'],
] as const)('while Docker %s', (_how, fault: Fault) => {
  it('commands wait, and the chat and the administrators read why; back again, all of them are done', {
    timeout: 120_000,
  }, async () => {
    const admin = berth.admin.messages().at(-1)!.id;
    proxy.faultOf = () => fault;
    const stop = await ann.ask('/stop', says('Stopping'));
    const exec = await ben.ask('/exec echo once | tee -a count', says('echo once'));
    const creation = await coming.ask('/create inn', says('Creating'));
    const question = await leaving.ask('/destroy', says('inn'));
    await leaving.pressAndWait(question, 0);
    const destruction = await leaving.waitForMessage(
      ({ id, text }) => id >= question.id && text.includes('Destroying'),
    );
    const waited = [
      await showsNow(ann, stop.id, waitsFor, 25_000),
      await showsNow(ben, exec.id, waitsFor, 5_000),
      await showsNow(coming, creation.id, waitsFor, 5_000),
      await showsNow(leaving, destruction.id, waitsFor, 5_000),
    ];
    const status = await ben.ask('/status', says('den'));
    expect(status.text).toContain('Docker does not answer: this is what was known last');
    const told = await berth.admin.waitForMessage(
      ({ id, text }) => id > admin && text.includes('🔴 Docker does not answer on host'),
      { timeoutMs: 25_000 },
    );
    const info = await berth.admin.ask('/admin_info', says('Host local'));
    expect(info.text).toContain('🔴 Docker does not answer.');
    proxy.faultOf = () => undefined;
    const done = [
      await showsNow(ann, stop.id, 'is stopped', 25_000),
      await showsNow(ben, exec.id, 'exit code 0', 25_000),
      await showsNow(coming, creation.id, 'inn is running', 40_000),
      await showsNow(leaving, destruction.id, 'inn is destroyed', 25_000),
    ];
    await berth.admin.waitForMessage(
      ({ id, text }) => id > told.id && text.includes('🟢 Docker answers again'),
      {
        timeoutMs: 15_000,
      },
    );
    const red = berth.admin.messages().filter(({ id, text }) => id > admin && text.startsWith('🔴'));
    expect(red).toHaveLength(1);
    console.log(
      `${fault}: told after ${waited.map((s) => s.toFixed(1))} s, done after ${done.map((s) => s.toFixed(1))} s`,
    );
    const count = await ben.ask('/exec wc -l < count; rm count', says('exit code 0'), { timeoutMs: 20_000 });
    expect(count.text).toMatch(/\n1\n/);
    await ann.ask('/start_vm', says('is running again'), { timeoutMs: 30_000 });
    const owners = (await findContainers(berth.instance)).map(({ Labels }) => Labels['berth.owner']);
    expect(owners.sort()).toEqual([ann, ben, coming].map(({ id }) => `${id}`).sort());
    [coming, leaving] = [leaving, coming];
  });
});

describe('when Docker does what it is asked, and', () => {
  const once = (matches: RegExp, fault: Fault) => {
    let struck = 0;
    proxy.faultOf = (request) => (matches.test(request) && struck++ === 0 ? fault : undefined);
    return () => struck;
  };

  it.each([
    ['answers 500', 'error'],
    ['its answer is cut off', 'cut'],
  ] as const)(
    '%s, a creation, a stop, a start and a destruction each end as one',
    { timeout: 180_000 },
    async (_how, fault: Fault) => {
      const eve = await berth.newUser('Eve');
      const made = once(/^POST \S*\/containers\/create/, fault);
      await eve.ask('/create inn', says('inn is running'), { timeoutMs: 90_000 });
      expect(made()).toBeGreaterThan(0);
      const mine = async () =>
        (await findContainers(berth.instance)).filter(({ Labels }) => Labels['berth.owner'] === `${eve.id}`);
      expect(await mine()).toHaveLength(1);
      for (const [request, command, end] of [
        [/^POST \S*\/stop/, '/stop', 'is stopped'],
        [/^POST \S*\/start/, '/start_vm', 'is running again'],
      ] as const) {
        const struck = once(request, fault);
        await eve.ask(command, says(end), { timeoutMs: 60_000 });
        expect(struck()).toBeGreaterThan(0);
      }
      const removed = once(/^DELETE \S*\/containers/, fault);
      await eve.pressAndWait(await eve.ask('/destroy'), 0);
      await eve.waitForMessage(says('inn is destroyed'), { timeoutMs: 60_000 });
      expect(removed()).toBeGreaterThan(0);
      expect(await mine()).toEqual([]);
    },
  );

  it('the start of a command is uncertain, it runs at most once, and is told as it is', {
    timeout: 90_000,
  }, async () => {
    const struck = once(/^POST \S*\/exec\/\w+\/start/, 'cut');
    const ended = ({ text }: ChatMessage) => text.includes('exit code 0') || text.includes('❌');
    const end = await ben.ask('/exec echo ran >> tally', ended, { timeoutMs: 40_000 });
    expect(struck()).toBeGreaterThan(0);
    await recovered();
    const count = await ben.ask('/exec cat tally | wc -l', says('exit code 0'), { timeoutMs: 20_000 });
    // It began before the answer was cut off, or was cut off before it began and begun a second time.
    if (end.text.includes('❌')) expect(end.text).toContain('unknown');
    expect(count.text).toMatch(end.text.includes('❌') ? /\n[01]\n/ : /\n1\n/);
  });
});
