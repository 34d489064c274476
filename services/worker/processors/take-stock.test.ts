import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SupersededError } from '../../../queues/errors.ts';
import { type Thing, thingKey } from '../../../shared/stray/thing.ts';
import { createEngine } from '../docker/engine.ts';
import { labelsOf, resourceName } from '../docker/ownership.ts';
import { testContext } from '../testing/context.ts';
import { startDockerProxy } from '../testing/docker-proxy.ts';
import { startFakeEngine } from '../testing/fake-engine.ts';
import { ensureTestImage } from '../testing/image.ts';
import { docker, newVmId, removeInstance, testHost } from '../testing/vm-host.ts';
import { removeLeftoversProcessor, removeStraysProcessor } from './remove-things.ts';
import { mostThings, takeStockProcessor } from './take-stock.ts';

/** On the real engine: what bears the label is found, and only what was seen is removed. */

const host = testHost();
const { instance } = host;
const takeStock = takeStockProcessor(host);
const removeLeftovers = removeLeftoversProcessor(host);
const removeStrays = removeStraysProcessor(host);

beforeAll(() => ensureTestImage(host));
afterAll(() => removeInstance());

const unique = () => randomBytes(4).toString('hex');
const labelled = { 'berth.instance': instance };
const newVolume = async (vmId: string, labels: Record<string, string> = labelsOf(instance, vmId, 42)) => {
  const Name = resourceName(instance, vmId);
  await docker.createVolume({ Name, Labels: labels });
  return Name;
};
const newContainer = async (
  name: string,
  { labels = labelled as Record<string, string>, volume = '', run = false } = {},
) => {
  const HostConfig = { NetworkMode: 'none', Binds: volume === '' ? [] : [`${volume}:/home/dev`] };
  const options = { name, Image: host.vmImage, Entrypoint: ['sleep', '1000'], Labels: labels, HostConfig };
  const container = await docker.createContainer(options);
  if (run) await container.start();
  return container.id;
};
const newVm = async ({ run = false } = {}) => {
  const vmId = newVmId();
  const volume = await newVolume(vmId);
  const labels = labelsOf(instance, vmId, 42);
  return {
    vmId,
    volume,
    container: await newContainer(resourceName(instance, vmId), { labels, volume, run }),
  };
};
const stock = async (expected: string[] = []) =>
  takeStock({ requestId: 'r', correlationId: 'test', expected }, testContext());
const thingsOf = async (vmId: string, expected: string[] = []): Promise<Thing[]> =>
  (await stock(expected)).things.filter((thing) => thing.vmId === vmId);
const clearing = (vmId: string, things: Thing[]) => ({
  requestId: 'r',
  correlationId: 'test',
  vmId,
  epoch: 2,
  things,
});
const removal = (things: Thing[]) => ({ operationId: 'o', correlationId: 'test', things });

describe('taking stock', () => {
  it('tells of container and volume with what their labels say, and when they were made', async () => {
    const before = Date.now() - 2_000;
    const { vmId, volume, container } = await newVm({ run: true });
    const things = await thingsOf(vmId);
    const name = resourceName(instance, vmId);
    expect(things).toMatchObject([
      { kind: 'container', id: container, name, vmId, owner: '42', running: true },
      { kind: 'volume', id: volume, name, vmId, owner: '42', running: false },
    ]);
    for (const { createdAt } of things) expect(Date.parse(createdAt!)).toBeGreaterThan(before);
  });

  it('leaves out what is expected, and nothing that only says so of itself', async () => {
    const { vmId } = await newVm();
    expect(await thingsOf(vmId, [vmId])).toEqual([]);
    const copy = await newContainer(`${instance}-copy-${unique()}`, { labels: labelsOf(instance, vmId, 42) });
    expect((await thingsOf(vmId, [vmId])).map(({ id }) => id)).toEqual([copy]);
  });

  it('knows the networks of the instance, and tells of others with its label', async () => {
    const strange = `strange-${unique()}`;
    for (const Name of [instance, `${instance}-2`, strange])
      await docker.createNetwork({ Name, Labels: labelled, Internal: true });
    const networks = (await stock()).things.filter(({ kind }) => kind === 'network');
    expect(networks).toMatchObject([{ name: strange, vmId: null }]);
    await removeStrays(removal(networks), testContext());
    const left = await docker.listNetworks({ filters: { label: [`berth.instance=${instance}`] } });
    expect(left.map(({ Name }) => Name).sort()).toEqual([instance, `${instance}-2`]);
  });

  it('sees nothing of other instances', async () => {
    const vmId = newVmId();
    const id = await newContainer(`other-${unique()}`, { labels: labelsOf('test-another', vmId, 1) });
    expect(await thingsOf(vmId)).toEqual([]);
    await docker.getContainer(id).remove();
  });

  it('removes old probes on the way, and tells of none', async () => {
    const probe = (at: string) =>
      newContainer(`${instance}-probe-${unique()}`, { labels: { ...labelled, 'berth.probe': at } });
    const [old, young] = await Promise.all([probe('2026-01-01T00:00:00Z'), probe(new Date().toISOString())]);
    const ids = (await stock()).things.map(({ id }) => id);
    expect(ids).not.toContain(old);
    expect(ids).not.toContain(young);
    await expect(docker.getContainer(old).inspect()).rejects.toMatchObject({ statusCode: 404 });
    await docker.getContainer(young).remove();
  });

  it('answers with some of very much, and says so', async () => {
    const many = Array.from({ length: mostThings + 5 }, (_, index) => ({
      Name: `v${index}`,
      Labels: labelled,
      CreatedAt: '2026-01-01T00:00:00+01:00',
    }));
    const engine = await startFakeEngine((request) => {
      if (request === 'GET /volumes') return { body: { Volumes: many } };
      return { body: [] };
    });
    const fake = takeStockProcessor(testHost({ engine: createEngine(engine.address) }));
    const question = { requestId: 'r', correlationId: 'test', expected: [] };
    const seen = new Set<string>();
    while (seen.size < many.length) {
      const { things, complete } = await fake(question, testContext());
      expect(complete).toBe(false);
      expect(new Set(things.map(thingKey)).size).toBe(mostThings);
      for (const { id } of things) seen.add(id);
    }
    await engine.close();
  });
});

describe('removing leftovers', () => {
  it('removes container and volume, also of one that runs, and is done where they are gone', async () => {
    const { vmId } = await newVm({ run: true });
    const things = await thingsOf(vmId);
    for (let time = 0; time < 2; time += 1) await removeLeftovers(clearing(vmId, things), testContext());
    expect(await thingsOf(vmId)).toEqual([]);
  });

  it('touches nothing once the VM has a newer operation', async () => {
    const { vmId } = await newVm();
    const things = await thingsOf(vmId);
    const context = testContext();
    context.supersedeAfter(0);
    await expect(removeLeftovers(clearing(vmId, things), context)).rejects.toThrow(SupersededError);
    expect(await thingsOf(vmId)).toEqual(things);
    const later = testContext();
    later.supersedeAfter(1);
    await expect(removeLeftovers(clearing(vmId, things), later)).rejects.toThrow(SupersededError);
    expect((await thingsOf(vmId)).map(({ kind }) => kind)).toEqual(['volume']);
  });

  it('leaves alone what was made anew under the same name', async () => {
    const { vmId, volume, container } = await newVm();
    const things = await thingsOf(vmId);
    await docker.getContainer(container).remove();
    const older = things.map((thing) =>
      thing.kind === 'volume' ? { ...thing, createdAt: '2026-01-01T00:00:00.000Z' } : thing,
    );
    const labels = labelsOf(instance, vmId, 42);
    const anew = await newContainer(resourceName(instance, vmId), { labels, volume });
    await removeLeftovers(clearing(vmId, older), testContext());
    expect((await thingsOf(vmId)).map(({ id }) => id)).toEqual([anew, volume]);
  });

  it('leaves alone what has other labels by now, and what is another VM’s', async () => {
    const vmId = newVmId();
    const name = resourceName(instance, vmId);
    const id = await newContainer(name, { labels: labelsOf('test-another', vmId, 42) });
    const seen: Thing = {
      ...{ kind: 'container', id, name, vmId, owner: '42' },
      ...{ createdAt: null, running: false },
    };
    await removeLeftovers(clearing(vmId, [seen]), testContext());
    await removeStrays(removal([seen]), testContext());
    await docker.getContainer(id).remove();
    const other = await newVm();
    await removeLeftovers(clearing('another', await thingsOf(other.vmId)), testContext());
    expect(await thingsOf(other.vmId)).toHaveLength(2);
  });

  it('removes the rest where one thing cannot go, and says what stays', async () => {
    const { vmId, volume } = await newVm();
    const things = await thingsOf(vmId);
    const user = await newContainer(`user-${unique()}`, { labels: {}, volume });
    await expect(removeLeftovers(clearing(vmId, things), testContext())).rejects.toMatchObject({
      code: 'docker-refused',
      detail: `volume ${volume} is still in use`,
    });
    expect((await thingsOf(vmId)).map(({ kind }) => kind)).toEqual(['volume']);
    await docker.getContainer(user).remove();
    await removeLeftovers(clearing(vmId, things), testContext());
    expect(await thingsOf(vmId)).toEqual([]);
  });

  it('ends well where Docker did it and its answer was lost', async () => {
    const { vmId } = await newVm();
    const things = await thingsOf(vmId);
    const proxy = await startDockerProxy();
    proxy.faultOf = (request) => (request.startsWith('DELETE') ? 'cut' : undefined);
    const behind = removeLeftoversProcessor(testHost({ engine: createEngine(proxy.address) }));
    await expect(behind(clearing(vmId, things), testContext())).rejects.toMatchObject({
      code: 'docker-unreachable',
    });
    await proxy.close();
    await removeLeftovers(clearing(vmId, things), testContext());
    expect(await thingsOf(vmId)).toEqual([]);
  });
});
