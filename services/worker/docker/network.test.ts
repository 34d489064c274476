import { randomBytes } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { docker, testHost } from '../testing/vm-host.ts';
import { ensureNetwork } from './network.ts';

const { engine } = testHost();
const name = `test-${randomBytes(5).toString('hex')}`;

const networks = async () =>
  (await docker.listNetworks({ filters: { name: [name] } })).filter(({ Name }) => Name === name);

afterEach(async () => {
  for (const { Id } of await networks()) await docker.getNetwork(Id).remove();
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

  it('is not one of that name that somebody else has made', async () => {
    await docker.createNetwork({ Name: name });
    await expect(ensureNetwork(engine, name, {})).rejects.toMatchObject({
      name: 'OperationError',
      code: 'name-taken',
    });
  });
});
