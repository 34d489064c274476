import { randomBytes } from 'node:crypto';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ensureTestImage } from '../testing/image.ts';
import { docker, testHost } from '../testing/vm-host.ts';
import { ensureNetwork, interfacePrefix } from './network.ts';

const { engine } = testHost();
const name = `test-${randomBytes(5).toString('hex')}`;

const allNetworks = () => docker.listNetworks({ filters: { name: [name] } });
const networks = async () => (await allNetworks()).filter(({ Name }) => Name === name);

beforeAll(() => ensureTestImage(testHost()));
afterEach(async () => {
  const label = [`berth.instance=${name}`];
  for (const { Id } of await docker.listContainers({ all: true, filters: { label } })) {
    await docker.getContainer(Id).remove({ force: true });
  }
  for (const { Id } of await allNetworks()) await docker.getNetwork(Id).remove();
});

describe('the network of an instance', () => {
  it('is one, however many workers make it at the same time', async () => {
    const ids = await Promise.all(Array.from({ length: 6 }, () => ensureNetwork(engine, name, {})));
    expect(new Set(ids).size).toBe(1);
    const [network, ...more] = await networks();
    expect(more).toEqual([]);
    expect(network).toMatchObject({
      Id: ids[0],
      Labels: { 'berth.instance': name },
      Options: { 'com.docker.network.bridge.enable_icc': 'false' },
    });
  });

  it('gets another beside it when it is full, stopped containers counted, and is used again when there is room', async () => {
    const put = async (NetworkMode: string) =>
      docker.createContainer({
        Image: testHost().vmImage,
        Labels: { 'berth.instance': name },
        HostConfig: { NetworkMode },
      });
    const ensure = () => ensureNetwork(engine, name, { perNetwork: 2 });
    const first = await ensure();
    const one = await put(first);
    await put(first);
    const second = await ensure();
    expect(second).not.toBe(first);
    await put(second);
    expect(await ensure()).toBe(second);
    await put(second);
    await docker.createNetwork({ Name: `${name}-3` }); // not ours: another instance may be called so
    await put(await ensure());

    const made = (await allNetworks()).filter(({ Labels }) => Labels?.['berth.instance'] === name);
    expect(made.map(({ Name }) => Name).sort()).toEqual([name, `${name}-2`, `${name}-4`]);
    const interfaces = made.map(({ Options }) => Options?.['com.docker.network.bridge.name'] ?? '');
    expect(new Set(interfaces).size).toBe(3);
    for (const bridge of interfaces) {
      expect(bridge.startsWith(interfacePrefix(name))).toBe(true);
      expect(bridge.length).toBeLessThanOrEqual(15);
    }
    await one.remove();
    expect(await ensure()).toBe(first);
  });

  it('is not one of that name that somebody else has made', async () => {
    await docker.createNetwork({ Name: name });
    await expect(ensureNetwork(engine, name, {})).rejects.toMatchObject({
      name: 'OperationError',
      code: 'name-taken',
    });
  });
});
