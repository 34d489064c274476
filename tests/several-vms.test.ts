import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStore } from '../services/bot/store/store.ts';
import { createLog } from '../shared/log.ts';
import { plan, planStream } from '../shared/plan/plan.ts';
import { type Berth, startBerth } from './support/berth.ts';
import type { ChatMessage, Participant } from './support/practice-client.ts';

/** A person whose plan gives them more than one VM. */

let berth: Berth;
let person: Participant;

const says = (part: string) => (message: ChatMessage) => message.text.includes(part);
const labels = (message: ChatMessage) => message.buttons.flat().map(({ text }) => text);

const allowThreeVms = async (dataDir: string): Promise<void> => {
  const store = await openStore({ dataDir, log: createLog('test', 'silent') });
  const data = { planId: '1', at: new Date().toISOString(), changes: { maxVms: 3 } };
  const metadata = { actor: null, chat: null, correlationId: 'test', causationId: null };
  await store.transaction((trx) =>
    store.handle(trx, plan, planStream('1'), { type: 'ChangePlan', data }, metadata),
  );
  await store.close();
};

beforeAll(async () => {
  berth = await startBerth({ workers: 2 });
  await berth.admin.ask('/start');
  await berth.bot().end();
  await allowThreeVms(berth.dataDir);
  await berth.startBot();
  person = await berth.newUser('Vera', 1);
  for (const name of ['one', 'two']) {
    await person.ask(`/create ${name}`, says(`${name} is running`), { timeoutMs: 60_000 });
  }
});
afterAll(() => berth?.stop());

describe('somebody with several VMs', () => {
  it('is asked which one by a button for each, and the button does it', async () => {
    const question = await person.ask('/restart', says('Which VM'));
    expect(labels(question)).toEqual(['one', 'two']);
    await person.pressAndWait(question, 'two');
    await berth.chat.waitForMessage(person.id, says('two is running again'), { timeoutMs: 30_000 });
  });

  it('names one, or presses one, for a command to run; it runs once', async () => {
    const named = await person.ask('/exec two: hostname', says('Done'));
    expect(named.text).toContain('\ntwo\n');
    const question = await person.ask(
      '/exec echo ran-on-$(hostname) | tee -a log; wc -l < log',
      says('Which VM should'),
    );
    expect(labels(question)).toEqual(['one', 'two']);
    await person.pressAndWait(question, 'one');
    const answer = await berth.chat.waitForMessage(person.id, says('ran-on-one'), { timeoutMs: 20_000 });
    expect(answer.text).toMatch(/ran-on-one\n1\n/);
    const again = await person.pressAndWait(question, 'one').catch((error: Error) => error.message);
    expect(JSON.stringify(again)).toMatch(/no longer waiting|no button/i);
  });

  it('sees both in one message, with a button for each that leads to its own', async () => {
    const both = await person.ask('/status', says('two'));
    expect(both.text.match(/^\S+(?= · 🟢 running)/gm)).toEqual(['one', 'two']);
    expect(labels(both)).toEqual(['ℹ️ one', 'ℹ️ two']);
    await person.pressAndWait(both, 'ℹ️ two');
    const own = await berth.chat.waitForMessage(
      person.id,
      ({ id, text }) => id > both.id && text.startsWith('two · 🟢 running'),
    );
    expect(own.text).not.toContain('one ·');
  });

  it('gets a third with a name made up, and hears the limit at the fourth', async () => {
    await person.ask('/create', says('box is running'), { timeoutMs: 60_000 });
    const refused = await person.ask('/create');
    expect(refused.text).toContain('3 VMs');
    expect(refused.text).toContain('one, two and box');
  });
});
