import { OperationError, RetryableError } from '../../../queues/errors.ts';
import type { GpuOffer } from '../../../queues/host-facts.ts';
import type { Engine } from './engine.ts';
import { type GpuWay, gpuRequests } from './gpu-requests.ts';
import { findImage } from './images.ts';
import { removeOldProbes } from './probes.ts';
import { explainRefusal } from './refusals.ts';
import { runProbe } from './run-probe.ts';

/**
 * Whether the host gives GPUs to VMs is tried out with a container that says which devices it got: what the engine
 * tells of itself does not show whether driver, toolkit and specification fit together.
 */

export type ProbeOrder = { instance: string; image: string; runtime: string };

/** Character devices alone: /dev/nvidia-caps is a folder. WSL has one device for all GPUs. */
const listDevices = 'for file in /dev/nvidia* /dev/dxg; do [ -c "$file" ] && echo "$file"; done; exit 0';

/** The devices that a container gets by this way. Throws a DockerRefusal where Docker does not give any. */
const devicesBy = async (
  engine: Engine,
  { instance, image, runtime }: ProbeOrder,
  way: GpuWay,
): Promise<string[]> => {
  const hostConfig = { DeviceRequests: gpuRequests[way], Runtime: runtime, NetworkMode: 'none' };
  const { stdout } = await runProbe(engine, { instance, image, script: listDevices, hostConfig });
  return stdout.split('\n').filter(Boolean);
};

const noDevices = "the host's driver gave no GPU device to a container: see whether nvidia-smi works there";

/** An offer by this way, or in people's words why there is none. */
const tryWay = async (engine: Engine, order: ProbeOrder, way: GpuWay): Promise<GpuOffer | string> => {
  try {
    const devices = await devicesBy(engine, order, way);
    return devices.length > 0 ? { way, devices, problem: null } : noDevices;
  } catch (error) {
    const meaning = explainRefusal(error);
    if (meaning instanceof OperationError) return meaning.detail;
    if (meaning instanceof RetryableError && meaning.code === 'docker-refused') return meaning.detail;
    throw meaning;
  }
};

/**
 * Tries CDI where the engine has it, then NVIDIA's own way, which is tried in any case: the engine's word tells what is
 * missing. Throws RetryableError `docker-unreachable` where Docker does not answer.
 */
export const probeGpu = async (engine: Engine, order: ProbeOrder): Promise<GpuOffer> => {
  await removeOldProbes(engine, order.instance);
  if ((await findImage(engine, order.image, {})) === undefined) {
    return { way: null, devices: [], problem: `${order.image}, the image of the VMs, is not built yet` };
  }
  const { CDISpecDirs } = await engine.call('asking Docker about the host', (docker) => docker.info());
  const problems: string[] = [];
  const ways: GpuWay[] =
    Array.isArray(CDISpecDirs) && CDISpecDirs.length > 0 ? ['cdi', 'nvidia'] : ['nvidia'];
  for (const way of ways) {
    const offer = await tryWay(engine, order, way);
    if (typeof offer !== 'string') return offer;
    problems.unshift(offer);
  }
  return { way: null, devices: [], problem: [...new Set(problems)].join(', and ').slice(0, 450) };
};

/** How long an offer holds. Milliseconds. */
const freshFor = 10 * 60_000;

export type GpuProbe = {
  /** The offer of the last ten minutes, or a new one. That there is none is looked at each time. */
  ask(options?: { fresh?: boolean }): Promise<GpuOffer>;
  /** What the last probe gave; null before the first one. */
  known(): GpuOffer | null;
};

/** Remembers what the probe gives, and lets one probe at a time run. `onProbed` is called after each. */
export const createGpuProbe = (
  probe: () => Promise<GpuOffer>,
  { onProbed = () => {}, now = Date.now }: { onProbed?: () => void; now?: () => number } = {},
): GpuProbe => {
  let last: { offer: GpuOffer; at: number } | null = null;
  let running: Promise<GpuOffer> | null = null;
  const run = async (): Promise<GpuOffer> => {
    try {
      const offer = await probe();
      last = { offer, at: now() };
      return offer;
    } finally {
      running = null;
      onProbed();
    }
  };
  return {
    async ask({ fresh = false } = {}) {
      if (!fresh && last !== null && last.offer.way !== null && now() - last.at < freshFor) return last.offer;
      running ??= run();
      return running;
    },
    known: () => last?.offer ?? null,
  };
};
