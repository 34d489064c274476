import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { containerOptions } from '../docker/container-options.ts';
import { createEngine } from '../docker/engine.ts';
import { endedWithEngine, engineStart } from '../docker/engine-start.ts';
import { testContext } from '../testing/context.ts';
import { ensureTestImage } from '../testing/image.ts';
import { newVmOrder } from '../testing/orders.ts';
import { docker, removeInstance, testHost } from '../testing/vm-host.ts';
import { lookAtVmsProcessor } from './look-at-vms.ts';

const host = testHost();
const look = lookAtVmsProcessor(host);

beforeAll(() => ensureTestImage(host));
afterAll(() => removeInstance());

const question = (vmIds: string[]) => ({
  requestId: 'r1',
  correlationId: 'test',
  vms: vmIds.map((vmId, index) => ({ vmId, epoch: index + 1 })),
});

/** A VM's container whose first process is the given one; small, so that it runs out of memory soon. */
const makeVm = async (argv: string[], label = host.instance) => {
  const order = await newVmOrder();
  const options = containerOptions({
    ...order,
    limits: { ...order.limits, memoryBytes: 64 * 1024 ** 2 },
    instance: host.instance,
    image: host.vmImage,
    runtime: host.vmRuntime,
    networkId: 'none',
    bindAddress: '127.0.0.1',
    hostCpus: 2,
  });
  const container = await docker.createContainer({
    ...options,
    Labels: { ...options.Labels, 'berth.instance': label },
    Entrypoint: argv,
  });
  return { vmId: order.vmId, container };
};
const startVm = async (argv: string[]) => {
  const vm = await makeVm(argv);
  await vm.container.start();
  return vm;
};
const end = async (argv: string[]) => {
  const vm = await startVm(argv);
  await vm.container.wait();
  return vm;
};

const nothing = { exitCode: null, outOfMemory: false, withEngine: false };

describe('looking at VMs', () => {
  it('tells which run, which ended and why, which are absent, in the order of the question', async () => {
    const hungry = ['python3', '-c', 'bytearray(400 << 20)'];
    const sleeping = ['sleep', '1000'];
    const [exited, starved, killed, running, paused, created, outlived] = await Promise.all([
      end(['sh', '-c', 'exit 7']),
      end(hungry),
      startVm(sleeping),
      startVm(sleeping),
      startVm(sleeping),
      makeVm(sleeping),
      end(['sh', '-c', `${hungry[0]} ${hungry[1]} '${hungry[2]}'; exit 255`]),
    ]);
    await Promise.all([killed.container.kill(), paused.container.pause()]);
    await killed.container.wait();
    const all = [exited, starved, killed, running, paused, created, outlived].map(({ vmId }) => vmId);
    const { vms } = await look(question([...all, 'unheard-of']), testContext());
    expect(vms.map(({ epoch }) => epoch)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(vms.map(({ vmId, epoch: _, ...fate }) => [vmId, fate])).toEqual([
      [exited.vmId, { ...nothing, state: 'stopped', exitCode: 7 }],
      [starved.vmId, { state: 'stopped', exitCode: 137, outOfMemory: true, withEngine: false }],
      [killed.vmId, { ...nothing, state: 'stopped', exitCode: 137 }],
      [running.vmId, { ...nothing, state: 'running' }],
      [paused.vmId, { ...nothing, state: 'other' }],
      [created.vmId, { ...nothing, state: 'other' }],
      [outlived.vmId, { ...nothing, state: 'stopped', exitCode: 255 }],
      ['unheard-of', { ...nothing, state: 'absent' }],
    ]);
  });

  it('does not take one for ended that is being restarted', async () => {
    const { vmId, container } = await startVm(['sleep', '600']);
    await container.kill();
    await container.wait();
    const [{ vms }] = await Promise.all([look(question([vmId]), testContext()), container.start()]);
    expect(vms).toMatchObject([{ state: 'running' }]);
  });

  it('counts a container of somebody else as absent', async () => {
    const { vmId, container } = await makeVm(['true'], 'somebody-else');
    try {
      const { vms } = await look(question([vmId]), testContext());
      expect(vms).toEqual([{ vmId, epoch: 1, state: 'absent', ...nothing }]);
    } finally {
      await container.remove();
    }
  });

  it('answers for two hundred within two seconds', async () => {
    const begun = performance.now();
    const ids = Array.from({ length: 200 }, (_, index) => `none${index}`);
    expect((await look(question(ids), testContext())).vms).toHaveLength(200);
    expect(performance.now() - begun).toBeLessThan(2_000);
  });

  it('says that Docker is away rather than that VMs are', async () => {
    const away = lookAtVmsProcessor({ ...host, engine: createEngine('unix:///nowhere/docker.sock') });
    await expect(away(question(['vm']), testContext())).rejects.toMatchObject({
      name: 'RetryableError',
      code: 'docker-unreachable',
    });
  });
});

describe('an end with the engine', () => {
  const start = Date.parse('2026-05-01T12:00:10Z');
  const at = (time: string, exitCode: number) => ({ finishedAt: `2026-05-01T${time}Z`, exitCode });

  it('lies before or about the start of Docker’s present life', () => {
    expect(endedWithEngine(at('09:00:00.123456789', 143), start)).toBe(true);
    expect(endedWithEngine(at('12:00:10.286565724', 255), start)).toBe(true);
    expect(endedWithEngine(at('12:00:30', 143), start)).toBe(false);
    expect(endedWithEngine(at('12:00:30', 255), start)).toBe(false);
  });

  it('shows by the status alone where Docker’s start is not known', () => {
    expect(endedWithEngine(at('09:00:00', 255), null)).toBe(true);
    expect(endedWithEngine(at('09:00:00', 143), null)).toBe(false);
  });

  it('can be told here: the engine’s start is known', async () => {
    const known = await engineStart(host.engine);
    expect(known).toBeGreaterThan(Date.parse('2020-01-01'));
    expect(known).toBeLessThan(Date.now());
  });
});
