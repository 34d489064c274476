import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Berth, startBerth } from './support/berth.ts';
import { findContainers } from './support/docker.ts';
import type { ChatMessage, Participant } from './support/practice-client.ts';

/** The bot is killed halfway through either order: no VM is forgotten. */

let berth: Berth;
let people: Participant[];

const says = (part: string) => (message: ChatMessage) => message.fromBot && message.text.includes(part);
const long = { timeoutMs: 40_000 };
const count = (person: Participant, part: string) => person.messages().filter(says(part)).length;
const runningCount = async () =>
  (await findContainers(berth.instance)).filter(({ State }) => State === 'running').length;

beforeAll(async () => {
  berth = await startBerth({ workers: 2 });
  await berth.admin.ask('/start');
  people = [];
  for (const name of ['Ann', 'Bob', 'Cai']) people.push(await berth.newUser(name));
  await Promise.all(
    people.map((person) => person.ask('/create box', says('is running'), { timeoutMs: 60_000 })),
  );
});
afterAll(() => berth?.stop());

const killAndStart = async () => {
  await berth.bot().end('SIGKILL');
  await berth.startBot();
};

/** Where the order is when the bot dies: sent and perhaps not even read, answered, half done. */
const moments: [string, (word: string) => Promise<unknown>][] = [
  ['sent', async () => undefined],
  ['answered', (word) => berth.admin.waitForMessage(says(`Maintenance is ${word}`))],
  [
    'half done',
    (word) =>
      berth
        .bot()
        .waitForLine(({ events }) => `${events}`.includes(word === 'on' ? 'VmStopped' : 'VmStarted')),
  ],
];

describe.each(moments)('a bot that is killed when the order was just %s', (_moment, until) => {
  it.each([
    ['on', 'stopped', 'is stopped for maintenance', 0],
    ['off', 'started', 'Maintenance is over', 3],
  ])('forgets no VM at /maintenance %s', async (word, done, told, up) => {
    for (const person of people) await person.deleteHistory();
    await berth.admin.deleteHistory();
    await berth.admin.send(`/maintenance ${word}`);
    await until(word);
    await killAndStart();

    await berth.admin.waitForMessage(says(`✅ 3 of 3 VMs ${done}.`), long);
    for (const person of people) await person.waitForMessage(says(told), long);
    expect(await runningCount()).toBe(up);
    // Of a message that was being sent when the bot died, Telegram does not say whether it arrived: it comes again.
    for (const person of people) expect(count(person, told)).toBeLessThanOrEqual(2);
    expect(count(berth.admin, `Maintenance is ${word}`)).toBeLessThanOrEqual(2);
  });
});
