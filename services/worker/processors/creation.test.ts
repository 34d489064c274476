import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { RetryableError } from '../../../queues/errors.ts';
import { GIB } from '../../../shared/vm/limits.ts';
import { testContext } from '../testing/context.ts';
import { ensureTestImage } from '../testing/image.ts';
import { newVmOrder, operationOn } from '../testing/orders.ts';
import { ssh } from '../testing/ssh.ts';
import { docker, leftovers, removeInstance, testHost } from '../testing/vm-host.ts';
import { createVmProcessor } from './create-vm.ts';
import { destroyVmProcessor } from './destroy-vm.ts';

const host = testHost();
const create = createVmProcessor(host);
const destroy = destroyVmProcessor(host);
const nameOf = (vmId: string) => `${host.instance}-${vmId}`;
const inspect = (vmId: string) => docker.getContainer(nameOf(vmId)).inspect();
const releases: (() => Promise<unknown>)[] = [];

beforeAll(() => ensureTestImage(host));
afterEach(async () => {
  for (const release of releases.splice(0).reverse()) await release();
});
afterAll(() => removeInstance());

const nothing = { containers: [], volumes: [] };
const removeAfterwards = (vmId: string) => releases.push(() => destroy(operationOn(vmId), testContext()));

/** A container of the given name that is not Berth's. */
const foreignContainer = async (name: string) => {
  const made = await docker.createContainer({
    name,
    Image: host.vmImage,
    Cmd: ['true'],
    Labels: { whose: 'mine' },
  });
  releases.push(() => docker.getContainer(made.id).remove({ force: true }));
  return made.id;
};

describe('creating a VM', () => {
  it('twice at once, and once more, ends in the same one container', async () => {
    const order = await newVmOrder();
    removeAfterwards(order.vmId);
    const both = await Promise.all([create(order, testContext()), create(order, testContext())]);
    const again = await create(order, testContext());
    expect(both).toEqual([again, again]);
    expect((await leftovers()).containers).toEqual([nameOf(order.vmId)]);
    const networks = await docker.listNetworks({ filters: { label: [`berth.instance=${host.instance}`] } });
    expect(networks).toHaveLength(1);
  });

  it('goes on from a container that an earlier run had only made', async () => {
    const order = await newVmOrder();
    removeAfterwards(order.vmId);
    const early = testContext();
    early.supersedeAfter(3); // up to the start
    await expect(create(order, early)).rejects.toMatchObject({ name: 'SupersededError' });
    const before = await inspect(order.vmId);
    expect(before.State.Status).toBe('created');
    expect((await create(order, testContext())).containerId).toBe(before.Id);
    expect((await ssh(order.sshPort, 'echo in')).stdout).toBe('in');
  });

  it('replaces a container of ours with another port', async () => {
    const order = await newVmOrder();
    removeAfterwards(order.vmId);
    const first = await create(order, testContext());
    const { sshPort } = await newVmOrder();
    const second = await create({ ...order, sshPort }, testContext());
    expect(second.containerId).not.toBe(first.containerId);
    expect((await ssh(sshPort, 'echo in')).stdout).toBe('in');
  });

  it('leaves a foreign container of its name alone, and says so; destroying leaves it as well', async () => {
    const order = await newVmOrder();
    const id = await foreignContainer(nameOf(order.vmId));
    const before = await docker.getContainer(id).inspect();
    await expect(create(order, testContext())).rejects.toMatchObject({
      name: 'OperationError',
      code: 'name-taken',
      detail: nameOf(order.vmId),
    });
    await destroy(operationOn(order.vmId), testContext());
    expect(await docker.getContainer(id).inspect()).toEqual(before);
    expect(await leftovers()).toEqual(nothing);
  });

  it('leaves a foreign volume of its name alone, and says so', async () => {
    const order = await newVmOrder();
    const name = nameOf(order.vmId);
    await docker.createVolume({ Name: name });
    releases.push(() => docker.getVolume(name).remove());
    await expect(create(order, testContext())).rejects.toMatchObject({ code: 'name-taken' });
    await destroy(operationOn(order.vmId), testContext());
    expect((await docker.getVolume(name).inspect()).Name).toBe(name);
  });

  it('leaves nothing behind when another program has its port', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    releases.push(async () => server.close());
    const { port } = server.address() as { port: number };
    const order = await newVmOrder({ sshPort: port });
    await expect(create(order, testContext())).rejects.toMatchObject({
      name: 'OperationError',
      code: 'port-taken',
    });
    expect(await leftovers()).toEqual(nothing);
  });

  it('leaves nothing behind when another VM has its port', async () => {
    const first = await newVmOrder();
    removeAfterwards(first.vmId);
    await create(first, testContext());
    const second = await newVmOrder({ sshPort: first.sshPort });
    await expect(create(second, testContext())).rejects.toMatchObject({ code: 'port-taken' });
    expect((await leftovers()).containers).toEqual([nameOf(first.vmId)]);
  });

  it.each([0, 1, 2])(
    'leaves nothing behind when a newer operation came before its step %i',
    async (checks) => {
      const order = await newVmOrder();
      const context = testContext();
      context.supersedeAfter(checks);
      await expect(create(order, context)).rejects.toMatchObject({ name: 'SupersededError' });
      expect(await leftovers()).toEqual(nothing);
    },
  );

  it.each([1, 2])(
    'leaves nothing behind when its worker slept, lost the job and a newer operation came before its step %i',
    async (checks) => {
      const order = await newVmOrder();
      const context = testContext();
      context.supersedeAfter(checks);
      const { checkEpoch } = context;
      context.checkEpoch = async () => {
        context.cancel();
        await checkEpoch();
      };
      const { checkFence } = context;
      context.checkFence = async () => {
        context.signal.throwIfAborted();
        await checkFence();
      };
      await expect(create(order, context)).rejects.toBeDefined();
      expect(await leftovers()).toEqual(nothing);
    },
  );

  it.each([0, 300])(
    'leaves no volume behind that is made %i ms after nobody waits for it, when a newer operation came',
    async (late) => {
      const order = await newVmOrder();
      const context = testContext();
      const host = testHost();
      const { engine } = host;
      let making: Promise<unknown> = Promise.resolve();
      const lossy = {
        ...engine,
        call: async (...[what, run, options]: Parameters<typeof engine.call>) => {
          if (what !== 'creating the volume') return engine.call(what, run, options);
          making = sleep(late).then(() => engine.call(what, run, options));
          if (late === 0) await making;
          context.supersedeAfter(0);
          throw new RetryableError('docker-unreachable', what);
        },
      } as typeof engine;
      await expect(createVmProcessor({ ...host, engine: lossy })(order, context)).rejects.toMatchObject({
        name: 'SupersededError',
      });
      await making;
      expect(await leftovers()).toEqual(nothing);
    },
  );

  it.each(['container', 'starting', 'ssh'])(
    'leaves nothing behind when it is cancelled at “%s”',
    async (step) => {
      const order = await newVmOrder();
      const context = testContext();
      const { progress } = context;
      context.progress = async (now, extra) => {
        if (now === step) context.cancel();
        await progress(now, extra);
      };
      await expect(create(order, context)).rejects.toMatchObject({ name: 'CancelledError' });
      expect(await leftovers()).toEqual(nothing);
    },
  );

  it('takes nothing away from a VM that was finished while this worker slept', async () => {
    const order = await newVmOrder();
    removeAfterwards(order.vmId);
    const made = await create(order, testContext());
    const late = testContext();
    late.supersedeAfter(0);
    await expect(create(order, late)).rejects.toMatchObject({ name: 'SupersededError' });
    expect((await inspect(order.vmId)).State).toMatchObject({ Running: true });
    expect((await inspect(order.vmId)).Id).toBe(made.containerId);
  });

  it('gets the host’s GPUs, or says what is missing for them and leaves nothing behind', async () => {
    const { Runtimes } = (await docker.info()) as { Runtimes: Record<string, unknown> };
    const order = await newVmOrder({
      limits: { memoryBytes: GIB / 2, cpus: 1, diskBytes: GIB, gpu: true, sudo: true },
    });
    if (Object.hasOwn(Runtimes, 'nvidia')) {
      removeAfterwards(order.vmId);
      await create(order, testContext());
      return;
    }
    await expect(create(order, testContext())).rejects.toMatchObject({
      name: 'OperationError',
      code: 'gpu-unavailable',
      detail: expect.stringContaining('NVIDIA container toolkit'),
    });
    expect(await leftovers()).toEqual(nothing);
  });

  it('leaves nothing behind when its last attempt fails, and keeps what there is before that', async () => {
    const broken = createVmProcessor({ ...host, vmRuntime: 'no-such-runtime' });
    const order = await newVmOrder();
    await expect(broken(order, testContext({ lastAttempt: true }))).rejects.toMatchObject({
      code: 'docker-refused',
      detail: expect.stringContaining('no-such-runtime'),
    });
    expect(await leftovers()).toEqual(nothing);
  });

  it('has the image built where it is missing, and fails with what the build failed with', async () => {
    const without = createVmProcessor({ ...host, vmImage: `${host.instance}:missing` });
    const reason = { code: 'image-build-failed' as const, detail: 'Step 3/9: no' };
    const context = testContext({ runFirst: async () => ({ kind: 'failed', reason }) });
    await expect(without(await newVmOrder(), context)).rejects.toMatchObject(reason);
    expect(context.steps).toEqual(['image']);
    expect(await leftovers()).toEqual(nothing);
  });
});
