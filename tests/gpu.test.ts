import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import type Docker from 'dockerode';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { docker as machinesDocker } from './support/docker.ts';
import { type SecondEngine, startSecondEngine } from './support/second-engine.ts';

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

const allGpus = [{ Driver: 'nvidia', Count: -1, Capabilities: [['gpu']] }];
const cdiDevices = [{ Driver: 'cdi', DeviceIDs: ['nvidia.com/gpu=all'] }];

describe('an engine without the NVIDIA container toolkit', () => {
  it('starts no container that asks for GPUs, and says why', async () => {
    await expect(runWith(machinesDocker, allGpus, 'true')).rejects.toThrow('could not select device driver');
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
});
