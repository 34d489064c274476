import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Berth, startBerth } from './support/berth.ts';
import { docker, findContainers } from './support/docker.ts';
import type { ChatMessage, Participant } from './support/practice-client.ts';
import { readAccess, ssh } from './support/ssh.ts';

/** Plans as an administrator changes them, and the VMs that are made then. */

const MIB = 1024 ** 2;
let berth: Berth;
let bob: Participant;

const says =
  (...parts: string[]) =>
  ({ text, fromBot }: ChatMessage) =>
    fromBot && parts.every((part) => text.includes(part));
const created = { timeoutMs: 60_000 };

/** What Docker limits the newest VM of somebody to. */
const limitsOf = async (owner: number) => {
  const own = (await findContainers(berth.instance)).filter(
    ({ Labels }) => Labels['berth.owner'] === `${owner}`,
  );
  const [newest] = own.sort((a, b) => b.Created - a.Created);
  const { HostConfig } = await docker.getContainer(newest!.Id).inspect();
  return { memory: HostConfig.Memory, swap: HostConfig.MemorySwap, cpus: (HostConfig.NanoCpus ?? 0) / 1e9 };
};

beforeAll(async () => {
  berth = await startBerth();
  await berth.admin.ask('/start');
  bob = await berth.newUser('Bob', 1);
  // The bot has to know what the host has before it can compare.
  await vi.waitFor(
    async () =>
      expect((await berth.admin.ask('/config_ram 1g', says('1 GB'))).text).not.toContain('No worker'),
    20_000,
  );
});
afterAll(() => berth?.stop());

describe('plans', () => {
  it.each([
    ['/config_plan', 'a plan, a field and a value are needed'],
    ['/config_plan 1 ram', 'a plan, a field and a value are needed'],
    ['/config_plan 9 ram 1g', 'there is no plan 9'],
    ['/config_plan 1 colour red', 'a plan has no colour'],
    ['/config_plan 1 ram 4x', '4x is no size'],
    ['/config_plan 1 ram 9999g', 'no VM with 9999g could start'],
    ['/config_plan 1 cpu 500', 'no VM with 500 could start'],
    ['/config_plan 1 disk 1m', 'a VM needs 1 GB of disk at least'],
    ['/config_plan 1 max_vms -1', '-1 is no number of VMs'],
    ['/config_plan 1 max_vms 101', '0 to 100'],
    ['/config_plan 1 name pro', 'there is a plan called pro already'],
    ['/config_plan 1 name 7', 'with a letter in it'],
  ])('refuse %s and say what is wrong', async (text, problem) => {
    const answer = await berth.admin.ask(text);
    expect(answer.text).toContain(problem);
    expect(answer.text).toContain('Example: /config_plan ');
  });

  it('are changed by number and by name, and everybody sees it at once', async () => {
    expect((await berth.admin.ask('/config_plan 1 name Small')).text).toContain('1. Small — 2 GB RAM');
    expect((await berth.admin.ask('/config_plan small ram 128m')).text).toContain('128 MB RAM');
    expect((await berth.admin.ask('/config_plan SMALL disk 900t')).text).toContain("The host's disk has");
    expect((await berth.admin.ask('/config_plan 1 ram 128m')).text).toContain('That is so already');
    expect((await bob.ask('/plans')).text).toContain('Small — 128 MB RAM');
  });

  it('of no VMs let nobody create one', async () => {
    await berth.admin.ask('/config_plan 1 max_vms 0', says('no VM'));
    const refused = await bob.ask('/create');
    expect(refused.text).toMatch(/no VM/);
    expect(refused.text).not.toContain('and you have ');
    expect(await findContainers(berth.instance)).toEqual([]);
  });

  it('of two VMs let people have two', async () => {
    await berth.admin.ask('/config_plan 1 max_vms 2', says('2 VMs'));
    await bob.ask('/create one', says('one is running'), created);
    await bob.ask('/create two', says('two is running'), created);
    expect((await bob.ask('/create three')).text).toContain('2 VMs at a time, and you have one and two');
  });

  it('with the least memory make VMs in which people can log in, and apt reads 60,000 packages', async () => {
    const card = bob.messages().findLast(says('two is running'))!;
    expect((await limitsOf(bob.id)).memory).toBe(128 * MIB);
    const access = readAccess(card);
    // As long as the lists of a large distribution, and without a network.
    await ssh(
      access,
      `mkdir repo && awk 'BEGIN { for (i = 0; i < 60000; i++) printf "Package: made-up-%d\\nVersion: 1.%d\\nArchitecture: amd64\\nMaintainer: Somebody <somebody@example.org>\\nInstalled-Size: 100\\nDepends: libc6 (>= 2.14), made-up-%d\\nFilename: ./made-up-%d.deb\\nSize: 1000\\nSHA256: %064d\\nSection: devel\\nDescription: a package that is not there, number %d\\n\\n", i, i, i + 1, i, i, i }' > repo/Packages`,
    );
    const updated = await ssh(
      access,
      'echo "deb [trusted=yes] file:$HOME/repo ./" > only.list && sudo apt-get -o Dir::Etc::sourcelist=$HOME/only.list -o Dir::Etc::sourceparts=- update && apt-cache -o Dir::Etc::sourcelist=$HOME/only.list pkgnames made-up | wc -l',
    );
    expect(updated.trim().split('\n').at(-1)).toBe('60000');
    const status = await bob.ask('/status two', says('running'));
    expect(status.text).toContain('128 MB RAM');
    expect(bob.messages().filter(says('ran out of memory'))).toEqual([]);
  });
});
