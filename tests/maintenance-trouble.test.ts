import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DockerProxy, startDockerProxy } from '../services/worker/testing/docker-proxy.ts';
import { type Berth, startBerth } from './support/berth.ts';
import { findContainers } from './support/docker.ts';
import type { ChatMessage, Participant } from './support/practice-client.ts';

/** Maintenance with a VM that Docker does not stop. */

let proxy: DockerProxy;
let berth: Berth;
let ann: Participant;
let bob: Participant;

const says =
  (...parts: string[]) =>
  ({ text, fromBot }: ChatMessage) =>
    fromBot && parts.every((part) => text.includes(part));
const long = { timeoutMs: 40_000 };
const settled = (message: ChatMessage) => !message.text.includes('⏳');
const containerOf = async (owner: number) =>
  (await findContainers(berth.instance)).find(({ Labels }) => Labels['berth.owner'] === `${owner}`)!;

beforeAll(async () => {
  proxy = await startDockerProxy();
  berth = await startBerth({ workers: 0 });
  await berth.startWorker({ DOCKER_HOST: proxy.address });
  await berth.admin.ask('/start');
  ann = await berth.newUser('Ann');
  bob = await berth.newUser('Bob');
  const made = [ann, bob].map((person) => person.ask('/create', says('is running'), { timeoutMs: 60_000 }));
  await Promise.all(made);
});
afterAll(async () => {
  await berth?.stop();
  await proxy?.close();
});

describe('a VM that cannot be stopped for maintenance', () => {
  it('is named to the administrators with the reason and an id, and its owner is told', async () => {
    const { Id, Names } = await containerOf(ann.id);
    proxy.faultOf = (request) =>
      /\/(stop|kill)/.test(request) && [Id, Names[0]!.slice(1)].some((name) => request.includes(name))
        ? 'refuse'
        : undefined;
    const told = await berth.admin.ask('/maintenance on', (m) => says('1 failed')(m) && settled(m), long);
    expect(told.text).toContain('⚠️ 1 of 2 VMs stopped, 1 failed.');
    expect(told.text).toMatch(/❌ box of Ann: Docker did not answer on the host\. id \S+/);
    const failed = await ann.waitForMessage(says('could not be stopped for maintenance'), long);
    expect(failed.text).toMatch(/Docker did not answer[\s\S]*\nid \S+/);
    await bob.waitForMessage(says('is stopped for maintenance'), long);
    expect((await ann.ask('/status')).text).toContain('running');
    expect((await containerOf(ann.id)).State).toBe('running');
  });

  it('goes on, and the end of maintenance starts only the other one', async () => {
    proxy.faultOf = () => undefined;
    const off = await berth.admin.ask('/maintenance off', (m) => says('started')(m) && settled(m), long);
    expect(off.text).toContain('✅ 1 of 1 VM started.');
    await bob.waitForMessage(says('Maintenance is over', 'is running again'), long);
    expect(ann.messages().filter(says('Maintenance is over'))).toEqual([]);
  });

  it('is told as well when one does not start again', async () => {
    await berth.admin.ask('/maintenance on', (m) => says('2 of 2 VMs stopped')(m) && settled(m), long);
    const { Id, Names } = await containerOf(bob.id);
    proxy.faultOf = (request) =>
      request.includes('/start') && [Id, Names[0]!.slice(1)].some((name) => request.includes(name))
        ? 'refuse'
        : undefined;
    const off = await berth.admin.ask('/maintenance off', (m) => says('1 failed')(m) && settled(m), long);
    expect(off.text).toContain('⚠️ 1 of 2 VMs started, 1 failed.');
    expect(off.text).toContain('❌ box of Bob');
    proxy.faultOf = () => undefined;
    const failed = await bob.waitForMessage(says('Maintenance is over, but box could not be started'), long);
    await bob.pressAndWait(failed, '▶️ Start');
    await bob.waitForMessage(({ id, text }) => id > failed.id && text.includes('is running again'), long);
  });
});
