import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import type Docker from 'dockerode';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEngine } from '../services/worker/docker/engine.ts';
import { createGpuProbe, probeGpu } from '../services/worker/docker/gpu.ts';
import { createVmProcessor } from '../services/worker/processors/create-vm.ts';
import { testContext } from '../services/worker/testing/context.ts';
import { newVmOrder } from '../services/worker/testing/orders.ts';
import { testHost } from '../services/worker/testing/vm-host.ts';
import { type Berth, startBerth } from './support/berth.ts';
import { findContainers, findVolumes, docker as machinesDocker } from './support/docker.ts';
import type { ChatMessage, Participant } from './support/practice-client.ts';
import { type SecondEngine, startSecondEngine } from './support/second-engine.ts';
import { readAccess, ssh } from './support/ssh.ts';

/**
 * GPUs where there are none: the machine's engine, which has to be without NVIDIA's toolkit, refuses them, and a
 * second engine, which takes root to run, has harmless devices under NVIDIA's names.
 */

const image = process.env.VM_IMAGE || 'berth-vm:latest';

/** NVIDIA's name for a device that swallows all it gets. */
const standIn = {
  kind: 'nvidia.com/gpu',
  devices: ['0', 'all'].map((name) => ({
    name,
    containerEdits: {
      env: [`NVIDIA_STANDIN=${name}`],
      deviceNodes: [{ path: '/dev/nvidia0', hostPath: '/dev/null' }],
    },
  })),
};

const says = (part: string) => (message: ChatMessage) => message.text.includes(part);
const ended = ({ text: words }: ChatMessage) => /Done|Exit code|❌/.test(words);
const create = (person: Participant, name = 'box') =>
  person.ask(`/create ${name}`, says('is running'), { timeoutMs: 15_000 });

/** What a command printed, in a container of the image with these devices. */
const runWith = async (engine: Docker, devices: Docker.DeviceRequest[], command: string) => {
  const container = await engine.createContainer({
    Image: image,
    Entrypoint: ['sh', '-c', command],
    Tty: true,
    NetworkDisabled: true,
    HostConfig: { DeviceRequests: devices },
  });
  try {
    const output = await container.attach({ stream: true, stdout: true });
    await container.start();
    return await text(output);
  } finally {
    await container.remove({ force: true });
  }
};

/** A worker's view of that engine. */
const hostOn = ({ dockerHost, address }: SecondEngine) => {
  const engine = createEngine(dockerHost);
  const { instance, vmImage, vmRuntime } = testHost();
  const order = { instance, image: vmImage, runtime: vmRuntime };
  const { ask } = createGpuProbe(() => probeGpu(engine, order));
  return testHost({ engine, sshBindAddress: address, gpu: ask });
};

const allGpus = [{ Driver: 'nvidia', Count: -1, Capabilities: [['gpu']] }];
const cdiDevices = [{ Driver: 'cdi', DeviceIDs: ['nvidia.com/gpu=all'] }];

describe('an engine without the NVIDIA container toolkit', () => {
  it('starts no container that asks for GPUs, and says why', async () => {
    await expect(runWith(machinesDocker, allGpus, 'true')).rejects.toThrow('could not select device driver');
  });
});

describe('/config_gpu on a host without GPUs', () => {
  let berth: Berth;

  beforeAll(async () => {
    berth = await startBerth();
  });
  afterAll(() => berth?.stop());

  it('makes /create fail with what is missing and how to go on, and nothing is left of it', async () => {
    await berth.admin.ask('/config_gpu on', says('GPU'));
    const failed = await berth.admin.ask('/create box', says('/config_gpu off'), { timeoutMs: 30_000 });
    expect(failed.text).toMatch(/NVIDIA|nvidia/);
    await expect.poll(() => findContainers(berth.instance), { timeout: 10_000 }).toEqual([]);
    expect(await findVolumes(berth.instance)).toEqual([]);
  });

  // The failed box keeps its name until it is destroyed; it does not count towards the person's VMs.
  it('off again lets /create give a VM', async () => {
    await berth.admin.ask('/config_gpu off', says('GPU'));
    expect(await ssh(readAccess(await create(berth.admin, 'plain')), 'hostname')).toBe('plain');
  });
});

describe('an engine with CDI', () => {
  let engine: SecondEngine;

  beforeAll(async () => {
    const begun = performance.now();
    engine = await startSecondEngine(standIn);
    const answered = performance.now();
    const carried = await engine.importImage(image);
    const seconds = (from: number, to: number) => `${((to - from) / 1000).toFixed(1)} s`;
    console.log(
      `The second engine answered after ${seconds(begun, answered)};`,
      `${image} was ${carried ? 'carried over' : 'there'} after ${seconds(answered, performance.now())} more.`,
    );
  }, 180_000);
  afterAll(() => engine?.stop());

  it('is another one than the machine’s, and shows neither devices nor mounts to the machine', async () => {
    const [info, own] = await Promise.all([engine.docker.info(), machinesDocker.info()]);
    expect(info.CDISpecDirs).toEqual(['/share/cdi']);
    expect(info.ID).not.toBe(own.ID);
    expect(readFileSync('/proc/mounts', 'utf8')).not.toContain('second-engine');
  });

  it('gives the devices of its specification to whoever asks for them by CDI, and to nobody else', async () => {
    const look =
      'ls /dev | grep nvidia; echo "standin=$NVIDIA_STANDIN"; echo gone >/dev/nvidia0 && echo written';
    const [withDevice, without] = await Promise.all([
      runWith(engine.docker, cdiDevices, look),
      runWith(engine.docker, [], 'ls /dev; echo "standin=$NVIDIA_STANDIN"'),
    ]);
    expect(withDevice.split('\r\n')).toEqual(['nvidia0', 'standin=all', 'written', '']);
    expect(without).not.toContain('nvidia');
    expect(without).toContain('standin=\r\n');
  });

  it('refuses what its specification does not have, and requests for NVIDIA’s own driver', async () => {
    const unknown = [{ Driver: 'cdi', DeviceIDs: ['nvidia.com/gpu=7'] }];
    await expect(runWith(engine.docker, unknown, 'true')).rejects.toThrow('unresolvable CDI devices');
    await expect(runWith(engine.docker, allGpus, 'true')).rejects.toThrow('could not select device driver');
  });

  it('lets a worker find the GPU and make VMs with it and without it', async () => {
    const host = hostOn(engine);
    expect(await host.gpu()).toEqual({ way: 'cdi', devices: ['/dev/nvidia0'], problem: null });
    const make = createVmProcessor(host);
    const has = async (gpu: boolean) => {
      const order = await newVmOrder();
      const { containerId } = await make({ ...order, limits: { ...order.limits, gpu } }, testContext());
      const { DeviceRequests } = (await engine.docker.getContainer(containerId).inspect()).HostConfig;
      return (DeviceRequests ?? []).flatMap(({ DeviceIDs }) => DeviceIDs);
    };
    expect(await Promise.all([has(true), has(false)])).toEqual([['nvidia.com/gpu=all'], []]);
    const left = await engine.docker.listContainers({ all: true });
    expect(left.filter(({ Labels }) => 'berth.probe' in Labels)).toEqual([]);
  });

  describe('and /config_gpu', () => {
    let berth: Berth;
    let guest: Participant;

    beforeAll(async () => {
      berth = await startBerth({ env: engine.env });
      guest = await berth.newUser('Guest');
    });
    afterAll(() => berth?.stop());

    it('off, as from the start, gives VMs no GPU', async () => {
      await create(guest);
      expect((await guest.ask('/exec ls /dev/nvidia0', ended)).text).toContain('No such file');
    });

    it('on gives new VMs the GPU, which their person may use, and leaves those that are there alone', async () => {
      await berth.admin.ask('/config_gpu on', says('GPU'));
      const access = readAccess(await create(berth.admin));
      const answer = await berth.admin.ask('/exec ls /dev/nvidia0 && echo gone >/dev/nvidia0', ended);
      expect(answer.text).toMatch(/\/dev\/nvidia0[\s\S]*exit code 0/);
      expect(await ssh(access, 'sudo cat /proc/1/environ')).toContain('NVIDIA_STANDIN=all');
      expect((await guest.ask('/exec ls /dev/nvidia0', ended)).text).toContain('No such file');
    });
  });
});

describe('an engine with CDI and without a specification', () => {
  let engine: SecondEngine;

  beforeAll(async () => {
    engine = await startSecondEngine();
    await engine.importImage(image);
  }, 180_000);
  afterAll(() => engine?.stop());

  it('makes a worker say what is missing, and nothing is left of the VM', async () => {
    const host = hostOn(engine);
    const order = await newVmOrder();
    const made = createVmProcessor(host)({ ...order, limits: { ...order.limits, gpu: true } }, testContext());
    await expect(made).rejects.toMatchObject({
      code: 'gpu-unavailable',
      detail: expect.stringContaining('CDI specification'),
    });
    expect(await engine.docker.listContainers({ all: true })).toEqual([]);
    expect((await engine.docker.listVolumes()).Volumes ?? []).toEqual([]);
  });
});
