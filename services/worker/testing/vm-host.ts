import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import Docker from 'dockerode';
import { linkSecret } from '../../../queues/testing/link-secret.ts';
import { createDiskQuota } from '../docker/disk-limits.ts';
import { createEngine } from '../docker/engine.ts';
import { createGpuProbe, probeGpu } from '../docker/gpu.ts';
import { parseWorkerEnv } from '../env.ts';
import { countCpusOnce, type VmHost } from '../vm-host.ts';

/** The real engine of this machine under an instance name of the test's own, and what tests ask it directly. */
export const testEnv = parseWorkerEnv({
  ...process.env,
  INSTANCE: `test-${randomBytes(5).toString('hex')}`,
  LINK_SECRET: linkSecret,
});

export const docker = new Docker();

export const testHost = (changes: Partial<VmHost> = {}): VmHost => {
  const engine = createEngine(testEnv.DOCKER_HOST);
  const order = { instance: testEnv.INSTANCE, image: testEnv.VM_IMAGE, runtime: testEnv.VM_RUNTIME };
  return {
    engine,
    instance: testEnv.INSTANCE,
    vmImage: testEnv.VM_IMAGE,
    vmBaseImage: testEnv.VM_BASE_IMAGE,
    vmRuntime: testEnv.VM_RUNTIME,
    sshBindAddress: '127.0.0.1',
    cpus: countCpusOnce(engine),
    hasDiskQuota: createDiskQuota(engine, order),
    gpu: createGpuProbe(() => probeGpu(engine, order)).ask,
    firewall: { ensure: async () => {}, known: () => null }, // its own tests have the real one
    ...changes,
  };
};

const ofInstance = (instance: string) => ({ label: [`berth.instance=${instance}`] });

/** Names of everything that bears the instance's label. */
export const leftovers = async (instance = testEnv.INSTANCE) => {
  const filters = ofInstance(instance);
  const [containers, { Volumes }] = await Promise.all([
    docker.listContainers({ all: true, filters }),
    docker.listVolumes({ filters }),
  ]);
  return {
    containers: containers.map(({ Names }) => Names[0]?.slice(1)),
    volumes: (Volumes ?? []).map(({ Name }) => Name),
  };
};

/** Removes everything that bears the instance's label. */
export const removeInstance = async (instance = testEnv.INSTANCE) => {
  const filters = ofInstance(instance);
  const containers = await docker.listContainers({ all: true, filters });
  await Promise.all(containers.map(({ Id }) => docker.getContainer(Id).remove({ force: true, v: true })));
  const { Volumes } = await docker.listVolumes({ filters });
  await Promise.all((Volumes ?? []).map(({ Name }) => docker.getVolume(Name).remove()));
  const networks = await docker.listNetworks({ filters });
  await Promise.all(networks.map(({ Id }) => docker.getNetwork(Id).remove()));
};

export const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
};

let count = 0;
export const newVmId = (): string => `vm${++count}`;

export const password = 'correct-horse-battery';
/** As `openssl passwd -6` gives it. */
export const passwordHash =
  '$6$j6LT8lu36KinWZaM$MGyAoBt9DGRUE0H5dCEitBnMefkCGjJQGo0fcej3Kui5MtP.41PEKfjWUgMcLQh5NRnqRcq/FB.jYTPpcHwjr.';
