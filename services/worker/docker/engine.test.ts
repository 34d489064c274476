import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createVmProcessor } from '../processors/create-vm.ts';
import { destroyVmProcessor } from '../processors/destroy-vm.ts';
import { stopVmProcessor } from '../processors/stop-vm.ts';
import { testContext } from '../testing/context.ts';
import { type DockerProxy, type Fault, startDockerProxy } from '../testing/docker-proxy.ts';
import { ensureTestImage } from '../testing/image.ts';
import { newVmOrder, operationOn } from '../testing/orders.ts';
import { docker, leftovers, removeInstance, testHost } from '../testing/vm-host.ts';
import { createEngine } from './engine.ts';

const unreachable = { name: 'RetryableError', code: 'docker-unreachable' };
let proxy: DockerProxy;
const host = testHost();

beforeAll(async () => {
  await ensureTestImage(host);
  proxy = await startDockerProxy();
  host.engine = createEngine(proxy.address);
});
afterEach(() => {
  proxy.faultOf = () => undefined;
});
afterAll(async () => {
  await proxy.close();
  await removeInstance();
});

const failAt = (pattern: RegExp, fault: Fault) => {
  proxy.faultOf = (request) => (pattern.test(request) ? fault : undefined);
};

describe('an engine that does not answer', () => {
  it.each(['hang', 'half'] as const)('is given up at the deadline when its answers %s', async (fault) => {
    failAt(/./, fault);
    const begun = performance.now();
    const call = host.engine.call('asking', (engine) => engine.info(), { deadline: 200 });
    await expect(call).rejects.toMatchObject(unreachable);
    expect(performance.now() - begun).toBeLessThan(1_000);
  });

  it('is given up at once when the job is called off', async () => {
    failAt(/./, 'hang');
    const calledOff = new AbortController();
    const call = host.engine.call('asking', (engine) => engine.info(), { signal: calledOff.signal });
    calledOff.abort(new Error('called off'));
    await expect(call).rejects.toThrow('called off');
  });

  it('is told from one that refuses', async () => {
    const away = createEngine('unix:///nowhere/docker.sock');
    await expect(away.call('asking', (engine) => engine.info())).rejects.toMatchObject(unreachable);
    const closed = createEngine('tcp://127.0.0.1:1');
    await expect(closed.call('asking', (engine) => engine.info())).rejects.toMatchObject(unreachable);
    const refused = host.engine.call('asking', (engine) => engine.getContainer('no-such').inspect());
    await expect(refused).rejects.toMatchObject({ name: 'DockerRefusal', status: 404 });
  });
});

describe('a creation whose answers get lost', () => {
  it('adopts the container it does not know to have made', async () => {
    const order = await newVmOrder();
    failAt(/^POST \/containers\/create/, 'cut');
    await expect(createVmProcessor(host)(order, testContext())).rejects.toMatchObject(unreachable);
    proxy.faultOf = () => undefined;
    const { containerId } = await createVmProcessor(host)(order, testContext());
    expect((await leftovers()).containers).toEqual([`${host.instance}-${order.vmId}`]);
    expect((await docker.getContainer(containerId).inspect()).State.Running).toBe(true);
    await destroyVmProcessor(host)(operationOn(order.vmId), testContext());
  });

  it('looks whether the container has started, rather than starting it again', async () => {
    const order = await newVmOrder();
    failAt(/^POST \/containers\/\w+\/start/, 'cut');
    const { containerId } = await createVmProcessor(host)(order, testContext());
    expect((await docker.getContainer(containerId).inspect()).State.Running).toBe(true);
    failAt(/^POST \/containers\/\w+\/stop/, 'cut');
    const stopped = stopVmProcessor(host)(operationOn(order.vmId), testContext());
    // Docker is still at it when it is asked: the job is tried again, and finds it done in the end.
    await stopped.catch((error: unknown) => expect(error).toMatchObject(unreachable));
    proxy.faultOf = () => undefined;
    await stopVmProcessor(host)(operationOn(order.vmId), testContext());
    await destroyVmProcessor(host)(operationOn(order.vmId), testContext());
    expect(await leftovers()).toEqual({ containers: [], volumes: [] });
  });

  it('is tried again where Docker is away altogether', async () => {
    failAt(/./, 'cut');
    const order = await newVmOrder();
    await expect(createVmProcessor(host)(order, testContext())).rejects.toMatchObject(unreachable);
    await expect(destroyVmProcessor(host)(operationOn(order.vmId), testContext())).rejects.toMatchObject(
      unreachable,
    );
  });
});
