import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Berth, startBerth } from './support/berth.ts';
import type { ChatMessage, Participant } from './support/practice-client.ts';
import { type SecondEngine, startSecondEngine } from './support/second-engine.ts';
import { readAccess, ssh } from './support/ssh.ts';

/**
 * Docker, or the whole host, begins anew below running VMs. On the second engine, so that nobody else's containers
 * end; it takes root to run.
 */

let engine: SecondEngine;
let berth: Berth;
const people = new Map<string, Participant>();
const person = (name: string): Participant => people.get(name)!;

const says = (part: string) => (message: ChatMessage) => message.fromBot && message.text.includes(part);
const after = (before: ChatMessage[], matches: (message: ChatMessage) => boolean) => (message: ChatMessage) =>
  message.id > (before.at(-1)?.id ?? 0) && matches(message);
const isRunning = async (name: string): Promise<boolean> => {
  const label = [`berth.owner=${person(name).id}`];
  return (await engine.docker.listContainers({ filters: { label } })).length > 0;
};

beforeAll(async () => {
  engine = await startSecondEngine();
  await engine.importImage(process.env.VM_IMAGE || 'berth-vm:latest');
  berth = await startBerth({ workers: 2, env: engine.env });
  for (const name of ['ann', 'ben', 'cat']) {
    people.set(name, await berth.newUser(name));
    await person(name).ask(`/create ${name}`, says('is running'), { timeoutMs: 40_000 });
  }
  await person('cat').ask('/stop', says('is stopped'), { timeoutMs: 20_000 });
}, 180_000);
afterAll(async () => {
  await berth?.stop();
  await engine?.stop();
});

describe.each([
  ['Docker is restarted', 'restart'],
  ['the host loses its power', 'power-cycle'],
] as const)('when %s', (_what, how) => {
  it('what ran runs again by itself, and each owner hears of it exactly once', async () => {
    const before = new Map([...people].map(([name, { messages }]) => [name, messages()]));
    await person('ann').ask('/exec echo kept > file && sync', says('exit code 0'));
    const counted = new Map([...people].map(([name, { messages }]) => [name, messages().length]));
    const begun = performance.now();
    await engine.begin(how);
    for (const name of ['ann', 'ben']) {
      const told = await person(name).waitForMessage(after(before.get(name)!, says('host was restarted')), {
        timeoutMs: 30_000,
      });
      const up = await person(name).waitForMessage(
        ({ id, text }) => id === told.id && text.includes('ssh -p'),
        { timeoutMs: 30_000 },
      );
      expect(await ssh(readAccess(up), 'hostname')).toBe(name);
    }
    console.log(`${how}: both VMs ran again after ${((performance.now() - begun) / 1000).toFixed(1)} s`);
    expect((await person('ann').ask('/exec cat file', says('exit code'))).text).toContain('kept');
    const more = (name: string) => person(name).messages().length - counted.get(name)!;
    // Ann's own command and its answer come on top.
    expect({ ann: more('ann'), ben: more('ben'), cat: more('cat') }).toEqual({ ann: 3, ben: 1, cat: 0 });
  });

  it('what was stopped stays stopped', async () => {
    expect(await isRunning('ben')).toBe(true);
    expect(await isRunning('cat')).toBe(false);
    const status = await person('cat').ask('/status', says('cat'));
    expect(status.text).toContain('stopped');
  });
});

describe('afterwards', () => {
  it('the history says why each start was', async () => {
    const history = await person('ben').ask('/history', says('started'));
    expect(history.text.match(/the host was restarted/g)).toHaveLength(2);
    await person('cat').ask('/start_vm', says('is running again'), { timeoutMs: 20_000 });
  });
});
