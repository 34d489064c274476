import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { docker as machinesDocker } from './support/docker.ts';
import { type SecondEngine, startSecondEngine, whyNoSecondEngine } from './support/second-engine.ts';

/** GPUs where there are none: an engine that refuses them, and one with harmless devices under NVIDIA's names. */

const image = process.env.VM_IMAGE || 'berth-vm:latest';
const why = whyNoSecondEngine();

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

describe.skipIf(why !== undefined)(`on an engine with CDI${why ? ` (skipped: ${why})` : ''}`, () => {
  let engine: SecondEngine;

  beforeAll(async () => {
    const begun = performance.now();
    engine = await startSecondEngine(standIn);
    const answered = performance.now();
    const carried = await engine.importImage(image);
    const seconds = (from: number, to: number) => `${((to - from) / 1000).toFixed(1)} s`;
    console.log(
      `second engine: started in ${seconds(begun, answered)}, image ${carried ? 'carried over' : 'there'} in ${seconds(answered, performance.now())}`,
    );
  }, 180_000);
  afterAll(() => engine?.stop());

  it('has CDI and is another engine than the machine’s', async () => {
    const [info, own] = await Promise.all([engine.docker.info(), machinesDocker.info()]);
    expect(info.CDISpecDirs).toEqual(['/share/cdi']);
    expect(info.ID).not.toBe(own.ID);
    expect(readdirSync('/dev')).not.toContain('nvidia0');
    expect(readFileSync('/proc/mounts', 'utf8')).not.toContain('second-engine');
  });
});
