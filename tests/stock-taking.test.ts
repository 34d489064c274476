import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { labelsOf } from '../services/worker/docker/ownership.ts';
import { type DockerProxy, startDockerProxy } from '../services/worker/testing/docker-proxy.ts';
import { type Berth, startBerth } from './support/berth.ts';
import { clockEnv } from './support/clock.ts';
import { docker, findContainers, findVolumes } from './support/docker.ts';
import type { ChatMessage, Participant } from './support/practice-client.ts';
import type { ServiceProcess } from './support/service-process.ts';

/**
 * Nothing with the instance's label stays without an owner. Berth looks once a minute and when it or Docker comes back, and
 * leaves things alone for four minutes: here it is restarted with its clock ahead instead.
 */

const minute = 60_000;
const vmImage = process.env.VM_IMAGE ?? 'berth-vm:latest';
const says = (part: string) => (message: ChatMessage) => message.fromBot && message.text.includes(part);
const labels = ({ buttons }: ChatMessage) => buttons.flat().map(({ text }) => text);

let berth: Berth;
let proxy: DockerProxy;
let owner: Participant;
let ahead = 0;

const tookStock = ({ msg, job, outcome }: Record<string, unknown>) =>
  msg === 'job ended' && job === 'take-stock' && outcome === 'succeeded';
const recorded = (bot: ServiceProcess, type: string) =>
  bot.waitForLine(
    ({ msg, events }) => msg === 'outcome recorded' && (events as string[]).includes(type),
    40_000,
  );

/** Five minutes later, and looked at twice: by a bot that begins, and by a worker that finds Docker. */
const lookLater = async (): Promise<void> => {
  ahead += 5 * minute;
  const [worker] = berth.workers();
  const before = worker!.lines().filter(tookStock).length;
  await berth.bot().end();
  await berth.startBot(clockEnv(ahead));
  await vi.waitFor(() => expect(worker!.lines().filter(tookStock).length).toBeGreaterThan(before), 20_000);
  await berth.workers().shift()!.end();
  const next = await berth.startWorker(clockEnv(ahead));
  await next.waitForLine(tookStock);
};

const things = async () => ({
  containers: (await findContainers(berth.instance)).map(({ Names }) => Names[0]!.slice(1)).sort(),
  volumes: (await findVolumes(berth.instance)).map(({ Name }) => Name).sort(),
});
const makeContainer = (name: string, Labels: Record<string, string>, volume?: string) =>
  docker.createContainer({
    name,
    Image: vmImage,
    Entrypoint: ['sleep', '1000'],
    Labels,
    HostConfig: { NetworkMode: 'none', Binds: volume === undefined ? [] : [`${volume}:/home/dev`] },
  });
let living: Awaited<ReturnType<typeof things>>;
/** What a VM of another database has, and two that Berth would not name so. */
let ghost: string;
let [foreign, fleeting]: string[] = [];
let message: ChatMessage;

/** Docker ends the creation when its worker is dead and the VM is destroyed. */
const leaveHalfMade = async (): Promise<void> => {
  proxy.faultOf = (request) => (request.startsWith('POST /containers/create') ? 'hold' : undefined);
  await owner.send('/create slow');
  await vi.waitFor(() => expect(proxy.held()).toBe(1), 30_000);
  await owner.send('/cancel');
  await owner.waitForMessage(says('Cancelled: create slow'));
  await recorded(berth.bot(), 'VmDestroyed');
  await berth.workers().shift()!.end('SIGKILL');
  await berth.startWorker();
  proxy.faultOf = () => undefined;
  proxy.letGo();
  await vi.waitFor(async () => expect((await things()).containers).toHaveLength(2), 30_000);
};
const makeStrays = async (): Promise<void> => {
  const { instance } = berth;
  ghost = `${instance}-ghost`;
  [foreign, fleeting] = [`${instance}x`, `${instance}y`];
  const ofGhost = labelsOf(instance, 'ghost', owner.id);
  await docker.createVolume({ Name: ghost, Labels: ofGhost });
  await makeContainer(ghost, ofGhost, ghost);
  await makeContainer(foreign, { 'berth.instance': instance });
  await makeContainer(fleeting, { 'berth.instance': instance });
};

beforeAll(async () => {
  proxy = await startDockerProxy();
  berth = await startBerth({ workers: 0 });
  await berth.startWorker({ DOCKER_HOST: proxy.address });
  owner = await berth.newUser('Owen', 2);
  await berth.admin.ask('/config_plan 2 max_vms 3', says('3 VMs'));
  await owner.ask('/create stays', says('is running'), { timeoutMs: 40_000 });
  living = await things();
  await leaveHalfMade();
  await makeStrays();
  await lookLater();
}, 240_000);
afterAll(async () => {
  await berth?.stop();
  await proxy?.close();
});

describe('a creation that was cancelled while Docker was slow at it, and whose worker died in the middle', () => {
  it('leaves nothing behind: what Docker made afterwards is removed, and nothing else', async () => {
    const expected = {
      containers: [...living.containers, ghost, foreign!, fleeting!].sort(),
      volumes: [...living.volumes, ghost].sort(),
    };
    await vi.waitFor(async () => expect(await things()).toEqual(expected), 30_000);
    expect(await owner.ask('/status stays', says('up '))).toBeDefined();
  });
});

describe('what no VM accounts for', () => {
  it('is told the administrators, with a button for each and one for all', async () => {
    message = await berth.admin.waitForMessage(says('that no VM accounts for'));
    expect(message.text).toMatch(/VM ghost: container and volume, \d+ min.* labelled as that of .*Owen/);
    expect(message.text).toContain(`container ${foreign}`);
    expect(labels(message).sort()).toEqual(
      ['🗑 Remove all 3', '🗑 Remove ghost', `🗑 Remove ${foreign}`, `🗑 Remove ${fleeting}`].sort(),
    );
  });

  it('is shown in /admin_info', async () => {
    const info = await berth.admin.ask('/admin_info', says('no VM accounts for it'));
    expect(info.text).toContain('🔴 With Berth');
    await berth.admin.pressAndWait(info, '🧹 What no VM accounts for');
    await berth.admin.waitForMessage(says('🔴 3 things'));
  });

  it('is removed where an administrator says so twice, and nothing else with it', async () => {
    const all = await things();
    await berth.admin.pressAndWait(message, '🗑 Remove ghost');
    const question = await berth.admin.waitForMessage(says('Remove this, with everything in it?'));
    expect(question.text).not.toContain(foreign);
    expect(await things()).toEqual(all);
    await berth.admin.pressAndWait(question, '🗑 Yes, remove it for good');
    await berth.admin.waitForMessage(says('Removed from host'), { timeoutMs: 20_000 });
    expect(await things()).toEqual({
      containers: [...living.containers, foreign, fleeting].sort(),
      volumes: living.volumes,
    });
    await berth.admin.waitForMessage(
      ({ id, text }) => id === message.id && text.includes('One other is gone'),
    );
    await berth.admin.ask('/audit', says('remove 2 things that no VM accounted for ✅'));
  });

  it('is told once, over restarts, and is shown as gone when somebody else has removed it', async () => {
    await docker.getContainer(fleeting!).remove();
    await lookLater();
    await berth.admin.waitForMessage(
      ({ id, text }) => id === message.id && text.includes('2 others are gone') && text.includes(foreign!),
      { timeoutMs: 20_000 },
    );
    const telling = berth.admin
      .messages()
      .filter(({ fromBot, text }) => fromBot && text.includes('something with Berth'));
    expect(telling.map(({ id }) => id)).toEqual([message.id]);
    expect(await things()).toEqual({
      containers: [...living.containers, foreign].sort(),
      volumes: living.volumes,
    });
  }, 120_000);
});
