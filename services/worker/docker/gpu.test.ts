import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { GpuOffer } from '../../../queues/host-facts.ts';
import { createVmProcessor } from '../processors/create-vm.ts';
import { probeGpuProcessor } from '../processors/probe-gpu.ts';
import { testContext } from '../testing/context.ts';
import { startFakeEngine } from '../testing/fake-engine.ts';
import { ensureTestImage } from '../testing/image.ts';
import { newVmOrder } from '../testing/orders.ts';
import { docker, leftovers, removeInstance, testHost } from '../testing/vm-host.ts';
import { containerOptions } from './container-options.ts';
import { createEngine } from './engine.ts';
import { createGpuProbe, probeGpu } from './gpu.ts';
import type { GpuWay } from './gpu-requests.ts';

const host = testHost();
const { instance, vmImage, vmRuntime } = host;
const order = { instance, image: vmImage, runtime: vmRuntime };
const releases: (() => Promise<unknown>)[] = [];

beforeAll(() => ensureTestImage(host));
afterEach(async () => {
  for (const release of releases.splice(0).reverse()) await release();
});
afterAll(() => removeInstance());

describe('the GPU probe on this machine', () => {
  it('gives devices or says what is missing, and leaves no container', async () => {
    const { Runtimes } = (await docker.info()) as { Runtimes: Record<string, unknown> };
    const offer = await probeGpuProcessor(host)({ requestId: 'r', correlationId: 'test' }, testContext());
    if (Object.hasOwn(Runtimes, 'nvidia')) expect(offer.devices).not.toEqual([]);
    else {
      expect(offer).toEqual({
        way: null,
        devices: [],
        problem: 'the NVIDIA container toolkit is not installed on the host',
      });
    }
    expect((await leftovers()).containers).toEqual([]);
  });

  it('removes probes that were left behind, and no others', async () => {
    const probes: [string, Record<string, string>][] = [
      ['old', { 'berth.instance': instance, 'berth.probe': new Date(Date.now() - 70_000).toISOString() }],
      ['odd', { 'berth.instance': instance, 'berth.probe': 'some time' }],
      ['ahead', { 'berth.instance': instance, 'berth.probe': '2099-01-01T00:00:00Z' }],
      ['young', { 'berth.instance': instance, 'berth.probe': new Date().toISOString() }],
      ['none', { 'berth.instance': instance }],
      ['foreign', { 'berth.instance': `${instance}2`, 'berth.probe': '2020-01-01T00:00:00Z' }],
    ];
    for (const [name, Labels] of probes) {
      const { id } = await docker.createContainer({ name: `${instance}-${name}`, Image: vmImage, Labels });
      releases.push(() =>
        docker
          .getContainer(id)
          .remove({ force: true })
          .catch(() => 'removed already'),
      );
    }
    await probeGpu(host.engine, order);
    expect((await leftovers()).containers.sort()).toEqual([`${instance}-none`, `${instance}-young`]);
    expect((await leftovers(`${instance}2`)).containers).toEqual([`${instance}-foreign`]);
  });

  it('says that the image is not built yet', async () => {
    expect(await probeGpu(host.engine, { ...order, image: `${instance}:missing` })).toMatchObject({
      way: null,
      problem: expect.stringContaining('not built yet'),
    });
  });

  it('keeps a VM from being made without the GPUs it is to have', async () => {
    const without = { way: null, devices: [], problem: 'no toolkit' };
    const create = createVmProcessor({ ...host, gpu: async () => without });
    const wish = await newVmOrder();
    const context = testContext();
    await expect(create({ ...wish, limits: { ...wish.limits, gpu: true } }, context)).rejects.toMatchObject({
      name: 'OperationError',
      code: 'gpu-unavailable',
      detail: 'no toolkit',
    });
    expect(await leftovers()).toEqual({ containers: [], volumes: [] });
  });
});

const frame = (text: string): Buffer => {
  const payload = Buffer.from(text);
  const header = Buffer.alloc(8);
  header[0] = 1;
  header.writeUInt32BE(payload.length, 4);
  return Buffer.concat([header, payload]);
};

/** An engine whose containers see the devices of that way, or do not start for this reason. */
const engineWith = async (
  cdiDirs: string[],
  starts: Record<GpuWay, { devices: string } | { says: string }>,
) => {
  const removed: string[] = [];
  let way: GpuWay = 'cdi';
  const engine = await startFakeEngine((request, body) => {
    if (request === 'GET /info') return { body: { CDISpecDirs: cdiDirs } };
    if (request === 'GET /containers/json') return { body: [] };
    if (request.startsWith('GET /images/')) return { body: { Id: 'sha256:1', Config: { Labels: {} } } };
    if (request === 'POST /containers/create') {
      const { HostConfig } = body as ReturnType<typeof containerOptions>;
      way = HostConfig?.DeviceRequests?.[0]?.Driver === 'cdi' ? 'cdi' : 'nvidia';
      return { status: 201, body: { Id: 'abc' } };
    }
    const start = starts[way];
    if (request.endsWith('/start')) {
      return 'says' in start ? { status: 500, body: { message: start.says } } : { status: 204, body: '' };
    }
    if (request.endsWith('/wait')) return { body: { StatusCode: 0 } };
    if (request.endsWith('/logs')) return { body: frame('devices' in start ? start.devices : '') };
    removed.push(request);
    return { status: 204, body: '' };
  });
  releases.push(engine.close);
  return { engine: createEngine(engine.address), removed };
};

const noToolkit = 'could not select device driver "nvidia" with capabilities: [[gpu compute utility]]';
const noSpecification = 'CDI device injection failed: unresolvable CDI devices nvidia.com/gpu=all: unknown';

describe('the GPU probe on other engines', () => {
  it('prefers CDI where a specification gives devices', async () => {
    const devices = '/dev/nvidia0\n/dev/nvidiactl\n';
    const { engine, removed } = await engineWith(['/etc/cdi'], {
      cdi: { devices },
      nvidia: { says: noToolkit },
    });
    expect(await probeGpu(engine, order)).toEqual({
      way: 'cdi',
      devices: ['/dev/nvidia0', '/dev/nvidiactl'],
      problem: null,
    });
    expect(removed).toHaveLength(1);
  });

  it('takes NVIDIA’s own way where CDI has no specification', async () => {
    const { engine, removed } = await engineWith(['/etc/cdi'], {
      cdi: { says: noSpecification },
      nvidia: { devices: '/dev/nvidia0\n' },
    });
    expect(await probeGpu(engine, order)).toMatchObject({ way: 'nvidia', devices: ['/dev/nvidia0'] });
    expect(removed).toHaveLength(2);
  });

  it('says all that is missing', async () => {
    const { engine } = await engineWith(['/etc/cdi'], {
      cdi: { says: noSpecification },
      nvidia: { says: noToolkit },
    });
    const { problem } = await probeGpu(engine, order);
    expect(problem).toBe(
      'the NVIDIA container toolkit is not installed on the host, and the host has no CDI specification for nvidia.com/gpu: run nvidia-ctk cdi generate',
    );
  });

  it('takes no container without a device for success', async () => {
    const { engine } = await engineWith([], { cdi: { says: '' }, nvidia: { devices: '' } });
    expect(await probeGpu(engine, order)).toMatchObject({
      way: null,
      problem: expect.stringContaining('nvidia-smi'),
    });
  });

  it('takes an engine that is away for no answer', async () => {
    const { engine } = await engineWith([], {
      cdi: { says: '' },
      nvidia: { says: 'transport is closing' },
    });
    await expect(probeGpu(engine, order)).rejects.toMatchObject({ code: 'docker-unreachable' });
  });
});

describe('a GPU offer', () => {
  const good: GpuOffer = { way: 'cdi', devices: ['/dev/nvidia0'], problem: null };
  const bad: GpuOffer = { way: null, devices: [], problem: 'none' };

  it('holds for ten minutes, or until somebody wants a fresh one; a refusal is looked at each time', async () => {
    const offers = [bad, bad, good, bad, good];
    let time = 0;
    let probed = 0;
    const probe = createGpuProbe(async () => offers[probed++]!, { now: () => time });
    expect(probe.known()).toBeNull();
    expect(await probe.ask()).toBe(bad);
    expect(await probe.ask()).toBe(bad);
    expect(probe.known()).toBe(bad);
    expect(await probe.ask()).toBe(good);
    time = 9 * 60_000;
    expect(await probe.ask()).toBe(good);
    expect(await probe.ask({ fresh: true })).toBe(bad);
    expect(await probe.ask()).toBe(good);
    expect(probed).toBe(5);
    time = 20 * 60_000;
    await probe.ask().catch(() => undefined);
    expect(probed).toBe(6);
  });

  it('comes from one probe at a time, also after one that failed', async () => {
    let probed = 0;
    let told = 0;
    const first = Promise.withResolvers<GpuOffer>();
    const probe = createGpuProbe(() => (++probed === 1 ? first.promise : Promise.resolve(good)), {
      onProbed: () => told++,
    });
    const both = [probe.ask(), probe.ask({ fresh: true })];
    first.reject(new Error('away'));
    for (const each of both) await expect(each).rejects.toThrow('away');
    expect([probed, told]).toEqual([1, 1]);
    expect(await probe.ask()).toBe(good);
    expect([probed, told]).toEqual([2, 2]);
  });

  it('decides how a VM’s container is made', async () => {
    const wish = { ...(await newVmOrder()), instance, networkId: 'n', hostCpus: 2, bindAddress: '127.0.0.1' };
    const requests = (gpuWay?: GpuWay) =>
      containerOptions({ ...wish, image: vmImage, runtime: vmRuntime, ...(gpuWay && { gpuWay }) }).HostConfig
        ?.DeviceRequests;
    expect(requests()).toBeUndefined();
    expect(requests('cdi')).toEqual([{ Driver: 'cdi', DeviceIDs: ['nvidia.com/gpu=all'] }]);
    expect(requests('nvidia')).toMatchObject([{ Driver: 'nvidia', Count: -1 }]);
  });
});
