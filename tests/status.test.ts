import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Berth, startBerth } from './support/berth.ts';
import type { ChatMessage, Participant } from './support/practice-client.ts';

/** /status of somebody with five real VMs, which share one message. */

let berth: Berth;
let person: Participant;

const names = ['one', 'two', 'three', 'four', 'five'];
const soon = 1_000;

const says = (part: string) => (message: ChatMessage) => message.fromBot && message.text.includes(part);
/** The part of the message that is about this VM. */
const cardOf = (text: string, name: string): string =>
  text.split('\n\n').find((card) => card.startsWith(`${name} · `)) ?? '';
const live = /CPU \d+\.\d\d of 1 · RAM [\d.]+ MB of 2 GB · disk [\d.]+ (KB|MB|GB) of /;

/** Asks for the status and waits until it reads so. */
const ask = async (matches: (text: string) => boolean) => {
  const begun = performance.now();
  const answer = await person.ask('/status', ({ text }) => matches(text));
  return { answer, tookMs: Math.round(performance.now() - begun) };
};

beforeAll(async () => {
  berth = await startBerth();
  await berth.admin.ask('/config_plan 1 max_vms 5', says('5 VMs'));
  person = await berth.newUser('Vera');
  for (const name of names)
    await person.ask(`/create ${name}`, says(`${name} is running`), { timeoutMs: 30_000 });
});
afterAll(() => berth?.stop());

describe('/status of five VMs', () => {
  // Other test files run on the same two processors: one try in three has to be quick enough.
  it('is complete, with live figures, within a second', { retry: 2 }, async () => {
    // The creations have used up what a chat takes at once, and a bot that begins knows of no messages before.
    await berth.bot().end();
    await berth.startBot();
    await berth.admin.ask('/admin_info', says('Queues'));
    const { answer, tookMs } = await ask((text) => names.every((name) => live.test(cardOf(text, name))));
    console.log(`/status of five VMs was complete after ${tookMs} ms`);
    for (const name of names) {
      const card = cardOf(answer.text, name);
      expect(card).toMatch(/🟢 running, up \d/);
      expect(card).toContain('Basic: 2 GB RAM, 1 CPU');
      expect(card).toMatch(/ssh -p \d+ dev@/);
      expect(card).toMatch(/Host key SHA256:/);
    }
    expect(tookMs).toBeLessThan(soon);
  });

  it('stays complete with a VM that is stopped', async () => {
    await person.ask('/stop two', says('two is stopped'), { timeoutMs: 20_000 });
    const { answer } = await ask((text) => live.test(cardOf(text, 'five')));
    expect(cardOf(answer.text, 'two')).toContain('⚪️ stopped');
    expect(cardOf(answer.text, 'two')).not.toMatch(/CPU \d\.\d\d of/);
  });
});
