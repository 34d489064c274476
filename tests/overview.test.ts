import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createProducer, type Producer } from '../queues/producer.ts';
import { readRollCall } from '../queues/roll-call.ts';
import { linkSecret } from '../queues/testing/link-secret.ts';
import { openStore, type Store } from '../services/bot/store/store.ts';
import { type DockerProxy, startDockerProxy } from '../services/worker/testing/docker-proxy.ts';
import { createLog } from '../shared/log.ts';
import { user, userStream } from '../shared/user/user.ts';
import type { VmCommand } from '../shared/vm/commands.ts';
import { vm, vmStream } from '../shared/vm/decider.ts';
import { administratorId, type Berth, startBerth } from './support/berth.ts';
import { docker } from './support/docker.ts';
import type { ChatMessage } from './support/practice-client.ts';

/**
 * What administrators see of the whole, with two hundred VMs. These exist in the database alone, on a host of their own
 * that nobody works for: nobody looks after them and finds them missing.
 */

const count = 200;
const perOwner = 2;
const atOnce = 2_000;

let berth: Berth;
let proxy: DockerProxy;
let producer: Producer;
const log = createLog('test', 'silent');
const administrators = [4101, 4102, 4103, 4104, 4105];

const says = (part: string) => (message: ChatMessage) => message.fromBot && message.text.includes(part);
const labels = (message: ChatMessage) => message.buttons.flat().map(({ text }) => text);

const ownerOf = (index: number): number => 70_000 + Math.floor(index / perOwner);
/** As long as Telegram has them. */
const usernameOf = (index: number): string => `somebody_with_a_long_name_${ownerOf(index)}`;
/** As long as DNS has them. */
const nameOf = (index: number): string => `machine-${String(index).padStart(24, '0')}`;

/** Four of ten are stopped, one has failed, one is lost. */
const fates = ['running', 'stopped', 'running', 'stopped', 'failed', 'running', 'stopped', 'lost'] as const;
const fateOf = (index: number) => fates[index % 10] ?? (index % 10 === 8 ? 'stopped' : 'running');

const commandsFor = (index: number): VmCommand[] => {
  const at = new Date(Date.now() - 3_600_000 + index * 1_000).toISOString();
  const vmId = `vm${index}`;
  const ids = (operationId: string) => ({ operationId: `${operationId}${index}`, vmId, at });
  const limits = {
    memoryBytes: 2 * 1024 ** 3,
    cpus: 1,
    diskBytes: 20 * 1024 ** 3,
    gpu: index % 50 === 0,
    sudo: true,
  };
  const place = { host: 'elsewhere', sshPort: 30_000 + index };
  const asked = { owner: ownerOf(index), name: nameOf(index), plan: 'Basic', limits, ...place };
  const requested: VmCommand = { type: 'RequestVm', data: { ...ids('create'), ...asked } };
  const container = { containerId: `container${index}`, hostKeyFingerprint: 'SHA256:abc' };
  const created: VmCommand = { type: 'RecordCreated', data: { ...ids('create'), ...container } };
  const reason = { code: 'docker-refused', detail: 'no' } as const;
  switch (fateOf(index)) {
    case 'failed':
      return [requested, { type: 'RecordFailed', data: { ...ids('create'), reason } }];
    case 'stopped':
      return [
        requested,
        created,
        { type: 'StopVm', data: ids('stop') },
        { type: 'RecordStopped', data: ids('stop') },
      ];
    case 'lost':
      return [requested, created, { type: 'RecordVanished', data: { vmId, epoch: 1, at } }];
    case 'running':
      return [requested, created];
  }
};

const metadata = { actor: null, chat: null, correlationId: 'test', causationId: null };

const fill = (store: Store): Promise<void> =>
  store.transaction(async (trx) => {
    for (let index = 0; index < count; index += 1) {
      const userId = ownerOf(index);
      const data = { userId, planId: '1', username: usernameOf(index), by: 1, at: new Date().toISOString() };
      await store.handle(trx, user, userStream(userId), { type: 'AllowUser', data }, metadata);
      for (const command of commandsFor(index)) {
        await store.handle(trx, vm, vmStream(command.data.vmId), command, metadata);
      }
    }
  });

/**
 * Asks, and gives both messages once the first one reads so, with the time that took. Each time somebody else asks:
 * Telegram takes a few messages to a chat at once and then one a second, and a person does not ask without end.
 */
const askForOverview = async (matches: (text: string) => boolean) => {
  const admin = berth.chat.person(administrators.shift()!);
  const begun = performance.now();
  const sent = await admin.send('/admin_info');
  const isNew = (message: ChatMessage) => message.fromBot && message.id > sent.id;
  const [overview, list] = await Promise.all([
    admin.waitForMessage((message) => isNew(message) && matches(message.text)),
    admin.waitForMessage((message) => isNew(message) && message.text.startsWith('🗂')),
  ]);
  return { admin, overview, list, tookMs: Math.round(performance.now() - begun) };
};
const hasQueues = (text: string) => text.includes('Queues: ');

beforeAll(async () => {
  proxy = await startDockerProxy();
  berth = await startBerth({
    workers: 0,
    env: { ADMIN_USER_ID: [administratorId, ...administrators].join() },
  });
  for (const id of administrators) await berth.chat.addPerson({ id, firstName: `Administrator ${id}` });
  await berth.admin.ask('/start');
  await berth.bot().end();
  const store = await openStore({ dataDir: berth.dataDir, log });
  await fill(store);
  await store.close();
  await berth.startBot();
  producer = createProducer({
    redisUrl: berth.redis.url,
    instance: berth.instance,
    linkSecret,
    log,
  });
}, 60_000);
afterAll(async () => {
  await producer?.close();
  await berth?.stop();
  await proxy?.close();
});

describe('/admin_info with 200 VMs', () => {
  it('says at once that no worker is there, and what waits for one', async () => {
    await berth.admin.ask('/create box', says('Creating'));
    await expect
      .poll(async () => (producer.isReady() ? producer.countQueues('local') : []))
      .toContainEqual(expect.objectContaining({ kind: 'lifecycle', waiting: 1 }));
    const { overview, tookMs } = await askForOverview(hasQueues);
    expect(tookMs).toBeLessThan(atOnce);
    expect(overview.text).toContain('🔴 No worker answers.');
    expect(overview.text).toContain('Workers: none');
    expect(overview.text).toMatch(/lifecycle: 0 running, 1 waiting \(\d/);
  });

  it('has everything within two seconds of the question', async () => {
    const { pid } = await berth.startWorker({ DOCKER_HOST: proxy.address });
    await berth.admin.waitForMessage(says('box is running'), { timeoutMs: 40_000 });
    await expect
      .poll(async () => (await readRollCall(producer.redis, berth.instance, Date.now()))[0]?.facts)
      .toBeTruthy();
    const { overview, list, tookMs } = await askForOverview((text) => text.includes('VM image: '));
    console.log(`/admin_info with ${count} VMs took ${tookMs} ms`);
    expect(tookMs).toBeLessThan(atOnce);

    const { NCPU, ServerVersion } = await docker.info();
    for (const part of [
      `instance ${berth.instance}`,
      'Without a plan: ',
      'GPU for new VMs: off',
      'Maintenance: off',
      'People: 6 administrators, 100 on the list',
      'VMs: 201 (81 running, 80 stopped, 20 failed, 20 lost)',
      `Docker ${ServerVersion}`,
      `${NCPU} CPUs`,
      'disk free',
      'GPU: ',
      'VM image: berth-vm:latest, built ',
      'Given to running VMs: ',
      `Workers: process ${pid} since `,
      'Queues: lifecycle: 0 running',
      'Protections:',
      'seccomp filter',
      'disk limits are',
      'Host elsewhere',
    ]) {
      expect(overview.text).toContain(part);
    }
    expect(list.text).toContain('201 VMs, page 1 of 11');
  });

  it('turns its pages to every VM, with its owner and state, once each', async () => {
    let { admin, list } = await askForOverview(hasQueues);
    const lines: string[] = [];
    for (let page = 1; ; page += 1) {
      list = await admin.waitForMessage(
        ({ id, text }) => id === list.id && text.includes(`page ${page} of 11`),
      );
      lines.push(...list.text.split('\n').slice(1));
      expect(labels(list)).toEqual([...(page > 1 ? ['◀️'] : []), ...(page < 11 ? ['▶️'] : [])]);
      if (page === 11) break;
      const begun = performance.now();
      await admin.pressAndWait(list, '▶️');
      expect(performance.now() - begun).toBeLessThan(atOnce);
    }
    expect(lines).toHaveLength(201);
    const marks = { running: '🟢 running', stopped: '⚪️ stopped', failed: '🔴 failed', lost: '🔴 lost' };
    for (let index = 0; index < count; index += 1) {
      const line = lines.find((text) => text.includes(nameOf(index)));
      expect(line).toContain(`${marks[fateOf(index)]} ${nameOf(index)} of `);
      expect(line).toContain(usernameOf(index));
      expect(line).toContain(`port ${30_000 + index}`);
    }
    await admin.pressAndWait(list, '◀️');
    await admin.waitForMessage(({ id, text }) => id === list.id && text.includes('page 10 of 11'));
  });

  it('says that Docker is away while the worker is there', async () => {
    const [worker] = berth.workers();
    proxy.faultOf = () => 'cut';
    await worker!.waitForLine(({ msg }) => msg === 'the host’s facts are not known');
    const { overview, tookMs } = await askForOverview((text) => text.includes('Docker does not answer'));
    expect(tookMs).toBeLessThan(atOnce);
    expect(overview.text).toContain(`Workers: process ${worker!.pid} since`);
  });

  it('says that Redis is away, and does not take old figures for new ones', async () => {
    await berth.redis.kill9();
    await expect.poll(() => producer.isReady()).toBe(false);
    const { overview, tookMs } = await askForOverview((text) => text.includes('Redis does not answer'));
    expect(tookMs).toBeLessThan(atOnce);
    expect(overview.text).not.toContain('Queues: ');
    await berth.redis.restart();
  });

  it('is for administrators alone, its pages too', async () => {
    const guest = await berth.newUser('Guest');
    const refused = await guest.ask('/admin_info');
    expect(refused.text).not.toMatch(/Host|VMs:/);
  });
});
