import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { FirewallState } from '../../../queues/host-facts.ts';
import { createEngine, type Engine } from '../docker/engine.ts';
import { runProbe } from '../docker/run-probe.ts';
import { createVmProcessor } from '../processors/create-vm.ts';
import { testContext } from '../testing/context.ts';
import { ensureTestImage } from '../testing/image.ts';
import { newVmOrder } from '../testing/orders.ts';
import { allOf, listenOn, reach } from '../testing/reach.ts';
import { ssh } from '../testing/ssh.ts';
import { docker, leftovers, removeInstance, testHost } from '../testing/vm-host.ts';
import { removeRules } from './apply.ts';
import { createFirewall, type Firewall, type FirewallOptions } from './firewall.ts';
import { parseExceptions } from './may-reach.ts';
import { tableName } from './rules.ts';

/** The rules on this machine's own Docker, tried from inside VMs. Each test has the table of the test's instance. */

vi.setConfig({ testTimeout: 120_000 }); // many containers, one after another, beside other tests

const host = testHost();
const { engine, instance, vmImage: image } = host;
const where = { engine, image };
const logs: string[] = [];
const log = pino({ level: 'debug' }, { write: (line: string) => logs.push(line) });
const made: Firewall[] = [];

const firewall = (changes: Partial<FirewallOptions> = {}): Firewall => {
  const one = createFirewall({ engine, instance, image, mayReach: [], log, ...changes });
  made.push(one);
  return one;
};

/** Does it in the host's network, as an administrator would. */
const nft = async (command: string): Promise<string> => {
  const hostConfig = { NetworkMode: 'host', CapAdd: ['NET_ADMIN'] };
  const { stdout, stderr } = await runProbe(engine, {
    instance,
    image,
    script: `nft ${command}`,
    hostConfig,
  });
  return stdout + stderr;
};
const listTable = () => nft(`-s list table inet ${tableName(instance)}`);
const deleteTable = () => nft(`delete table inet ${tableName(instance)}`);

const gatewayOf = async (network: string): Promise<string> => {
  const { IPAM } = await docker.getNetwork(network).inspect();
  return IPAM!.Config![0]!.Gateway!;
};

const newVm = async (sshBindAddress = '127.0.0.1') => {
  const order = await newVmOrder();
  const { containerId } = await createVmProcessor({ ...host, sshBindAddress })(order, testContext());
  const { NetworkSettings } = await docker.getContainer(containerId).inspect();
  return { containerId, sshPort: order.sshPort, address: NetworkSettings.Networks[instance]!.IPAddress };
};

let vm: Awaited<ReturnType<typeof newVm>>;
let neighbour: Awaited<ReturnType<typeof newVm>>;
let dockersAddress: string;
let bridgeAddress: string;
const listeners: Awaited<ReturnType<typeof listenOn>>[] = [];

beforeAll(async () => {
  await ensureTestImage(host);
  dockersAddress = await gatewayOf('bridge');
  [vm, neighbour] = await Promise.all([newVm(), newVm(dockersAddress)]);
  bridgeAddress = await gatewayOf(instance);
  for (const address of [bridgeAddress, dockersAddress]) listeners.push(await listenOn(address));
});
afterEach(async () => {
  await Promise.all(made.splice(0).map((one) => one.close()));
});
afterAll(async () => {
  await Promise.all(listeners.map((listener) => listener.close()));
  await removeInstance();
  await removeRules(where, instance);
});

describe('what a VM reaches', () => {
  const ofTheHost = () => [
    ...listeners.map(({ target }) => target),
    `${dockersAddress}:${neighbour.sshPort}`, // a neighbour by its published port
  ];
  const elsewhere = [
    '10.1.2.3:80',
    '172.31.255.254:80',
    '192.168.255.254:80',
    '100.64.1.1:80',
    '169.254.169.254:80',
  ];

  it('is too much without rules', async () => {
    await removeRules(where, instance);
    expect(await reach(docker, vm.containerId, ofTheHost())).toEqual(allOf(ofTheHost(), 'open'));
  });

  it('is neither the host, by whichever address, nor a neighbour, nor a private network', async () => {
    await firewall().ensure();
    const forbidden = [...ofTheHost(), ...elsewhere, `${neighbour.address}:22`, `${bridgeAddress}:53`];
    expect(await reach(docker, vm.containerId, forbidden)).toEqual(allOf(forbidden, 'ECONNREFUSED'));
  });

  it('leaves people their way in', async () => {
    await firewall().ensure();
    expect((await ssh(vm.sshPort, 'whoami')).stdout).toBe('dev');
  });

  it('is what an administrator allows, there and nowhere else', async () => {
    const [onBridge, onDocker] = listeners.map(({ target }) => target) as [string, string];
    await firewall({
      mayReach: parseExceptions(`${onBridge},172.16.0.0/12:${neighbour.sshPort},10.0.0.0/8`),
    }).ensure();
    const targets = [onBridge, onDocker, `${dockersAddress}:${neighbour.sshPort}`, `${neighbour.address}:22`];
    expect(await reach(docker, vm.containerId, targets)).toEqual({
      [onBridge]: 'open',
      [onDocker]: 'ECONNREFUSED',
      [targets[2]!]: 'open', // the host's port is named; that Docker hands it on to a neighbour is not
      [targets[3]!]: 'ECONNREFUSED',
    });
  });
});

describe('the rules', () => {
  it('keep VMs off each other, whatever an administrator allows', async () => {
    const [network] = (await docker.getNetwork(instance).inspect()).IPAM!.Config!;
    await firewall({ mayReach: parseExceptions(network!.Subnet!) }).ensure();
    const targets = [`${neighbour.address}:22`];
    expect(await reach(docker, vm.containerId, targets)).toEqual(allOf(targets, 'ECONNREFUSED'));
  });

  it('come back within the interval when somebody takes them or one of them away', async () => {
    const keeper = firewall({ every: 300 });
    keeper.begin();
    await vi.waitFor(() => expect(keeper.known()).toMatchObject({ problem: null }), 10_000);
    const whole = await listTable();
    expect(whole).toContain('chain to_the_host');
    for (const loss of [deleteTable, () => nft(`flush chain inet ${tableName(instance)} to_the_host`)]) {
      await loss();
      await vi.waitFor(async () => expect(await listTable()).toBe(whole), { timeout: 15_000 });
    }
    await vi.waitFor(() => expect(logs.join('')).toContain('were gone or changed'), { timeout: 15_000 });
  });

  it('are put in place once for many who wait, and looked at by one worker of the host', async () => {
    await deleteTable();
    const noted: FirewallState[] = [];
    const read = vi.fn(async () => noted.at(-1) ?? null);
    const shared = { read, note: async (state: FirewallState) => void noted.push(state) };
    const first = firewall({ shared });
    await Promise.all([first.ensure(), first.ensure(), first.ensure()]);
    await first.ensure();
    expect(noted).toEqual([{ problem: null, detail: '', mayReach: [] }]);

    const second = firewall({ shared, every: 50 });
    second.begin();
    await vi.waitFor(() => expect(read.mock.calls.length).toBeGreaterThan(3), 10_000);
    expect(noted).toHaveLength(2); // its own look at its start
  });

  it('are put in place again before a VM starts in another life of Docker', async () => {
    let life = new Date().toISOString();
    const restarting: Engine = {
      call: async (what, run, options) =>
        what === 'asking since when Docker runs'
          ? ({ Created: life } as Awaited<ReturnType<typeof run>>)
          : engine.call(what, run, options),
    };
    const one = firewall({ engine: restarting });
    await one.ensure();
    await deleteTable();
    await one.ensure();
    expect(await listTable()).not.toContain('chain');
    life = new Date().toISOString();
    await one.ensure();
    expect(await listTable()).toContain('chain to_the_host');
  });

  it('let the DNS servers of a VM be asked', async () => {
    await firewall().ensure();
    const asked = await runProbe(engine, { instance, image, script: 'cat /etc/resolv.conf', hostConfig: {} });
    const [, resolver] = /^nameserver (\S+)/m.exec(asked.stdout) ?? [];
    expect(await listTable()).toContain(
      `ct original ip daddr ${resolver} meta l4proto udp ct original proto-dst 53`,
    );
    const targets = [`${resolver}:53`];
    expect(await reach(docker, vm.containerId, targets)).toEqual(allOf(targets, 'open'));
  });
});

describe('where rules are impossible', () => {
  /** The VM image with something else in nft's place; without words, without it. */
  const imageWith = async (words: string | null): Promise<string> => {
    const replace =
      words === null
        ? 'rm /usr/sbin/nft'
        : `printf '#!/bin/sh\\necho "${words}" >&2\\nexit 1\\n' >/usr/sbin/nft`;
    const old = await docker.createContainer({ Image: image, Entrypoint: ['/bin/sh', '-c', replace] });
    await old.start();
    await old.wait();
    await old.commit({ repo: instance, tag: 'changed' });
    await old.remove();
    return `${instance}:changed`;
  };
  afterEach(async () => {
    const left = await docker.listImages({ filters: { reference: [`${instance}:changed`] } });
    for (const { Id } of left) await docker.getImage(Id).remove();
  });

  it.each([
    ['image-missing', async () => `${instance}:none`],
    ['nft-missing', () => imageWith(null)],
    [
      'not-permitted',
      () => imageWith('netlink: Error: cache initialization failed: Operation not permitted'),
    ],
    ['kernel', () => imageWith('Unable to initialize Netlink socket: Protocol not supported')],
    ['failed', () => imageWith('what nobody foresaw')],
  ])('it is told once, and whoever starts a VM goes on: %s', async (problem, imageOf) => {
    const changes = vi.fn();
    const one = firewall({ image: await imageOf(), onChanged: changes });
    await one.ensure();
    await one.ensure();
    expect(one.known()).toMatchObject({ problem });
    expect(changes).toHaveBeenCalledTimes(1);
    const { containers } = await leftovers();
    expect(containers.filter((name) => name?.includes('probe'))).toEqual([]);
  });

  it('because Docker is rootless, the rules stand as far as they reach', async () => {
    const rootless: Engine = {
      call: async (what, run, options) =>
        what === 'asking Docker about the host'
          ? ({ SecurityOptions: ['name=rootless'] } as Awaited<ReturnType<typeof run>>)
          : engine.call(what, run, options),
    };
    await removeRules(where, instance);
    const one = firewall({ engine: rootless });
    await one.ensure();
    expect(one.known()).toMatchObject({ problem: 'rootless' });
    expect(await listTable()).toContain('chain to_the_host');
  });

  it('for now, because the image is not there yet, they are put in place as soon as it is', async () => {
    const tag = `${instance}:later`;
    const one = firewall({ image: tag });
    await one.ensure();
    await docker.getImage(image).tag({ repo: instance, tag: 'later' });
    await one.ensure();
    await docker.getImage(tag).remove();
    expect(one.known()).toMatchObject({ problem: null });
  });

  it('and Docker is away, whoever would start a VM waits', async () => {
    const away = firewall({ engine: createEngine('unix:///nowhere/docker.sock') });
    await expect(away.ensure()).rejects.toMatchObject({ code: 'docker-unreachable' });
    expect(away.known()).toBeNull();
    const order = await newVmOrder();
    const starting = createVmProcessor({ ...host, firewall: away })(order, testContext());
    await expect(starting).rejects.toMatchObject({ code: 'docker-unreachable' });
    const container = await docker.getContainer(`${instance}-${order.vmId}`).inspect();
    expect(container.State.Status).toBe('created');
  });
});
