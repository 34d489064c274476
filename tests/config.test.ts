import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Berth, startBerth } from './support/berth.ts';
import { docker, findContainers } from './support/docker.ts';
import type { ChatMessage, Participant } from './support/practice-client.ts';
import { readAccess, ssh } from './support/ssh.ts';

/** What VMs of people without a plan get, as an administrator changes it. */

const MIB = 1024 ** 2;
let berth: Berth;
/** Without a plan. */
let ann: Participant;

const says =
  (...parts: string[]) =>
  ({ text, fromBot }: ChatMessage) =>
    fromBot && parts.every((part) => text.includes(part));
const created = { timeoutMs: 60_000 };
const long = { timeoutMs: 40_000 };

/** What Docker limits the newest VM of somebody to. */
const limitsOf = async (owner: number) => {
  const own = (await findContainers(berth.instance)).filter(
    ({ Labels }) => Labels['berth.owner'] === `${owner}`,
  );
  const [newest] = own.sort((a, b) => b.Created - a.Created);
  const { HostConfig } = await docker.getContainer(newest!.Id).inspect();
  return { memory: HostConfig.Memory, swap: HostConfig.MemorySwap, cpus: (HostConfig.NanoCpus ?? 0) / 1e9 };
};
const destroyAll = async (person: Participant) => {
  await person.pressAndWait(await person.ask('/destroy', says('for good')), 0);
  await person.waitForMessage(says('is destroyed'), long);
};

beforeAll(async () => {
  berth = await startBerth({ workers: 0 });
  await berth.admin.ask('/start');
  const { id } = await berth.chat.addPerson({ firstName: 'Ann', id: 50_200 });
  ann = berth.chat.person(id);
  await ann.ask('/start');
  await berth.admin.ask(`/allow_user ${id}`, says('may use Berth'));
});
afterAll(() => berth?.stop());

describe('settings', () => {
  it('cannot be compared with a host that nobody has described yet, and say so', async () => {
    const answer = await berth.admin.ask('/config_ram 1g');
    expect(answer.text).toContain('✅ VMs of people without a plan get 1 GB of memory');
    expect(answer.text).toContain('No worker has described the host yet');
    await berth.startWorker();
    await expect
      .poll(async () => (await berth.admin.ask('/config_ram 1g', says('already'))).text, { timeout: 20_000 })
      .not.toContain('No worker');
  });

  it.each([
    ['/config_ram', 'the size is missing'],
    ['/config_ram 4x', '4x is no size'],
    ['/config_ram -4g', '-4g is no size'],
    ['/config_ram 0', 'a VM needs 128 MB of memory at least'],
    ['/config_ram 127m', 'a VM needs 128 MB of memory at least'],
    ['/config_ram 9999g', 'so no VM with 9999g could start on it'],
    ['/config_cpu', 'the number of CPUs is missing'],
    ['/config_cpu two', 'two is no number of CPUs'],
    ['/config_cpu -1', '-1 is no number of CPUs'],
    ['/config_cpu 0', 'a VM needs 0.1 of a CPU at least'],
    ['/config_cpu 500', 'so no VM with 500 could start on it'],
  ])('refuse %s and say what is wrong', async (text, problem) => {
    const answer = await berth.admin.ask(text);
    expect(answer.text).toContain(problem);
    expect(answer.text).toContain(`Example: ${text.split(' ')[0]} `);
  });

  it('hold for VMs made from then on, and for no other', async () => {
    await ann.ask('/create', says('is running'), created);
    const before = { memory: 1024 * MIB, swap: 1024 * MIB };
    expect(await limitsOf(ann.id)).toMatchObject(before);
    expect((await berth.admin.ask('/config_ram 300m')).text).toContain('300 MB');
    expect((await berth.admin.ask('/config_cpu 0.5')).text).toContain('0.5 CPUs');
    await ann.ask('/restart', says('is running again'), long);
    expect(await limitsOf(ann.id)).toMatchObject(before);
    await destroyAll(ann);
    const card = await ann.ask('/create', says('is running'), created);
    expect(await limitsOf(ann.id)).toEqual({ memory: 300 * MIB, swap: 300 * MIB, cpus: 0.5 });
    expect(await ssh(readAccess(card), 'hostname')).toBe('box');
    expect((await ann.ask('/status', says('RAM'))).text).toContain('300 MB RAM, 0.5 CPUs');
  });
});
