import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hostFacts } from '../../queues/host-facts.ts';
import { createDiskQuota, knownDiskLimit, tryDiskLimit } from './docker/disk-limits.ts';
import { createEngine } from './docker/engine.ts';
import { createFactsGatherer, mayHaveGpus } from './host-facts.ts';
import { startFakeEngine } from './testing/fake-engine.ts';
import { ensureTestImage } from './testing/image.ts';
import { docker, leftovers, removeInstance, testEnv, testHost } from './testing/vm-host.ts';

const host = testHost();
const signal = new AbortController().signal;
const options = { dockerHost: testEnv.DOCKER_HOST, knownGpu: () => null };

beforeAll(() => ensureTestImage(host));
afterAll(() => removeInstance());

describe('a host’s facts', () => {
  it('are what Docker says, with the image and the room for data', async () => {
    const facts = await createFactsGatherer(host, options)(signal);
    const info = (await docker.info()) as { MemTotal: number; Driver: string; ServerVersion: string };
    expect(hostFacts.parse(facts)).toMatchObject({
      dockerVersion: info.ServerVersion,
      memoryBytes: info.MemTotal,
      storageDriver: info.Driver,
      vmRuntime: 'runc',
      runtimes: expect.arrayContaining(['runc']),
      protections: { seccomp: true, memoryLimit: true, pidsLimit: true },
      gpu: null,
    });
    expect(facts.image).toMatchObject({ name: host.vmImage, id: expect.stringMatching(/^sha256:/) });
    expect(Date.parse(facts.image?.createdAt ?? '')).toBeLessThan(Date.now());
    if (facts.disk !== null) expect(facts.disk.freeBytes).toBeLessThanOrEqual(facts.disk.totalBytes);
  });

  it('tell an image of another recipe, and a missing one', async () => {
    const changed = createFactsGatherer({ ...host, vmBaseImage: 'another:base' }, options);
    expect((await changed(signal)).image?.current).toBe(false);
    const missing = createFactsGatherer({ ...host, vmImage: `${host.instance}:missing` }, options);
    expect((await missing(signal)).image).toBeNull();
  });

  it('say nothing of a disk that the worker does not see, and hold the last look for GPUs', async () => {
    const gpu = { way: 'cdi' as const, devices: ['/dev/nvidia0'], problem: null };
    const elsewhere = { dockerHost: 'tcp://docker.example:2376', knownGpu: () => gpu };
    expect(await createFactsGatherer(host, elsewhere)(signal)).toMatchObject({ disk: null, gpu });
  });

  it('do not come while Docker is away', async () => {
    const away = createFactsGatherer({ ...host, engine: createEngine('unix:///nowhere/d.sock') }, options);
    await expect(away(signal)).rejects.toMatchObject({ code: 'docker-unreachable' });
  });

  it('tell which protections are switched off', async () => {
    const info = {
      ServerVersion: '28',
      OperatingSystem: 'x',
      KernelVersion: '6',
      NCPU: 4,
      MemTotal: 1,
      Driver: 'btrfs',
      DockerRootDir: '/no/such/folder',
      CgroupVersion: '2',
      SecurityOptions: ['name=apparmor', 'name=seccomp,profile=unconfined', 'name=rootless', 'name=cgroupns'],
      CDISpecDirs: ['/etc/cdi'],
    };
    const fake = await startFakeEngine((request) =>
      request === 'GET /info' ? { body: info } : { status: 404, body: { message: 'no such image' } },
    );
    const engine = createEngine(fake.address);
    const hasDiskQuota = createDiskQuota(engine, { instance: 'test', image: host.vmImage });
    const facts = await createFactsGatherer({ ...host, engine, hasDiskQuota }, options)(signal);
    expect(facts).toMatchObject({ disk: null, image: null, cgroupVersion: '2', runtimes: [] });
    expect(facts.protections).toEqual({
      seccomp: false,
      appArmor: true,
      userNamespaces: true,
      memoryLimit: false,
      swapLimit: false,
      pidsLimit: false,
      diskLimit: true,
    });
    expect(await mayHaveGpus(engine)).toBe(true);
    await fake.close();
  });
});

describe('disk limits', () => {
  it('are known of most storage drivers, and asked for on XFS', () => {
    const on = (Driver: string, fileSystem: string) =>
      knownDiskLimit({ Driver, DriverStatus: [['Backing Filesystem', fileSystem]] });
    expect(on('overlay2', 'extfs')).toBe(false);
    expect(on('overlay2', 'xfs')).toBeUndefined();
    expect(on('zfs', 'zfs')).toBe(true);
    expect(knownDiskLimit({ Driver: 'vfs', DriverStatus: null })).toBe(false);
  });

  it('are tried with a container of which nothing is left', async () => {
    const { Driver, DriverStatus } = (await docker.info()) as Parameters<typeof knownDiskLimit>[0];
    const works = await tryDiskLimit(host.engine, { instance: host.instance, image: host.vmImage });
    const known = knownDiskLimit({ Driver, DriverStatus: DriverStatus ?? null });
    if (known !== undefined) expect(works).toBe(known);
    expect((await leftovers()).containers).toEqual([]);
  });
});
