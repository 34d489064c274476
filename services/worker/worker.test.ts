import { fileURLToPath } from 'node:url';
import { execaNode } from 'execa';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { JobName, Outcome, Report } from '../../queues/catalog.ts';
import type { Hint } from '../../queues/hints.ts';
import { createProducer, type Producer } from '../../queues/producer.ts';
import { consumeReports } from '../../queues/reports.ts';
import { readRollCall } from '../../queues/roll-call.ts';
import { linkSecret } from '../../queues/testing/link-secret.ts';
import { removeRules } from './firewall/apply.ts';
import { ensureTestImage } from './testing/image.ts';
import { newVmOrder, operationOn } from './testing/orders.ts';
import { startTestRedis } from './testing/redis.ts';
import { ssh } from './testing/ssh.ts';
import { docker, leftovers, passwordHash, removeInstance, testEnv, testHost } from './testing/vm-host.ts';

/** Workers as processes of their own, fed over Redis as the bot feeds them. */

const main = fileURLToPath(new URL('main.ts', import.meta.url));
const log = pino({ level: 'silent' });
const host = testHost();
const instance = testEnv.INSTANCE;
const reports: Report[] = [];
const hints: Hint[] = [];
let redis: Awaited<ReturnType<typeof startTestRedis>>;
let producer: Producer;
let reporting: ReturnType<typeof consumeReports>;

const startWorker = async () => {
  const env = { ...testEnv, VM_MAY_REACH: '', LINK_PORT: '0', REDIS_URL: redis.url, LOG_LEVEL: 'debug' };
  const child = execaNode(main, { env, reject: false, forceKillAfterDelay: false });
  let output = '';
  child.stdout.on('data', (piece: Buffer) => {
    output += piece.toString();
  });
  await vi.waitFor(() => expect(output).toContain('"msg":"ready"'), { timeout: 20_000 });
  return { child, output: () => output };
};
type WorkerProcess = Awaited<ReturnType<typeof startWorker>>;
let workers: WorkerProcess[] = [];

beforeAll(async () => {
  await ensureTestImage(host);
  redis = await startTestRedis();
  producer = createProducer({ redisUrl: redis.url, instance, linkSecret, log });
  reporting = consumeReports({
    redisUrl: redis.url,
    instance,
    log,
    onReport: async (report) => {
      reports.push(report);
    },
    onHint: async (hint) => {
      hints.push(hint);
    },
  });
  await vi.waitFor(() => expect(producer.redis.status).toBe('ready'));
  workers = await Promise.all([startWorker(), startWorker()]);
});
afterAll(async () => {
  for (const { child } of workers) child.kill('SIGKILL');
  await reporting?.close();
  await producer?.close();
  await redis?.stop();
  await removeInstance();
  await removeRules({ engine: host.engine, image: host.vmImage }, instance);
});

type OperationPayload = { operationId: string; [field: string]: unknown };

const add = async (jobName: JobName, payload: OperationPayload) => {
  await producer.add({ jobName, host: testEnv.HOST_ID, jobId: payload.operationId, payload });
};
const outcomeOf = async (operationId: string): Promise<Outcome> =>
  vi.waitFor(
    () => {
      const found = reports.find((report) => report.operationId === operationId);
      if (found === undefined) throw new Error('no report yet');
      return found.outcome;
    },
    { timeout: 25_000 },
  );
const done = async (jobName: JobName, payload: OperationPayload) => {
  await add(jobName, payload);
  return outcomeOf(payload.operationId);
};

describe('workers', () => {
  it('do a VM’s operations and report each, with nothing secret in logs', async () => {
    const order = { ...(await newVmOrder()), operationId: 'w-create' };
    expect(await done('create-vm', order)).toMatchObject({
      kind: 'succeeded',
      result: { hostKeyFingerprint: expect.stringMatching(/^SHA256:/) },
    });
    expect((await ssh(order.sshPort, 'echo in')).stdout).toBe('in');

    const run = { ...operationOn(order.vmId), operationId: 'w-exec', timeoutSeconds: 10 };
    await producer.putPrivate('exec:w-exec', Buffer.from('echo whisper-$((6*7)); exit 2'));
    expect(await done('exec', run)).toMatchObject({ kind: 'succeeded', result: { exitCode: 2 } });
    expect((await producer.readPrivate('exec-output:w-exec'))?.toString()).toBe('whisper-42\n');

    const long = { ...operationOn(order.vmId), operationId: 'w-long', timeoutSeconds: 60 };
    await producer.putPrivate('exec:w-long', Buffer.from('touch ~/begun; sleep 50'));
    await add('exec', long);
    await vi.waitFor(() => ssh(order.sshPort, 'test -e begun'), { timeout: 5_000 });
    await producer.cancel('w-long');
    expect(await outcomeOf('w-long')).toEqual({ kind: 'cancelled' });

    const second = { ...operationOn(order.vmId), epoch: 2, operationId: 'w-destroy' };
    await producer.raiseFence(order.vmId, 2);
    expect(await done('destroy-vm', second)).toEqual({ kind: 'succeeded', result: {} });
    expect(await leftovers()).toEqual({ containers: [], volumes: [] });
    const logged = workers.map((worker) => worker.output()).join('');
    expect(logged).toContain('"msg":"container created"');
    expect(logged).not.toMatch(/whisper|begun/);
    expect(logged).not.toContain(passwordHash);
  });

  it('answer the roll call with their host’s facts, and hint at what happens to VMs', async () => {
    await vi.waitFor(async () => {
      const entries = await readRollCall(producer.redis, instance, Date.now());
      expect(entries.map(({ pid }) => pid).sort()).toEqual(workers.map(({ child }) => child.pid).sort());
      for (const entry of entries) expect(entry.facts).toMatchObject({ vmRuntime: 'runc' });
      expect(hints.map(({ kind }) => kind)).toContain('engine-back');
    }, 5_000);

    const order = { ...(await newVmOrder()), operationId: 'w-dying' };
    await done('create-vm', order);
    await docker.getContainer(`${instance}-${order.vmId}`).kill();
    const deaths = () => hints.filter(({ vmId, kind }) => vmId === order.vmId && kind === 'died');
    await vi.waitFor(() => expect(deaths()).toHaveLength(1), 5_000);
    const look = { requestId: 'w-look', correlationId: 'test', vms: [{ vmId: order.vmId, epoch: 1 }] };
    await producer.add({ jobName: 'look-at-vms', host: testEnv.HOST_ID, jobId: 'w-look', payload: look });
    const stopped = { state: 'stopped', exitCode: 137, outOfMemory: false, withEngine: false };
    expect(await outcomeOf('w-look')).toMatchObject({ result: { vms: [{ epoch: 1, ...stopped }] } });

    const probe = { requestId: 'w-probe', correlationId: 'test' };
    await producer.add({ jobName: 'probe-gpu', host: testEnv.HOST_ID, jobId: 'w-probe', payload: probe });
    const { result } = (await outcomeOf('w-probe')) as { result: unknown };
    await vi.waitFor(async () => {
      const now = await readRollCall(producer.redis, instance, Date.now());
      expect(now.map(({ facts }) => facts?.gpu)).toContainEqual(result);
    }, 3_000);
    await done('destroy-vm', { ...operationOn(order.vmId), operationId: 'w-dying-destroy' });
    expect(deaths()).toHaveLength(1);
  });

  it('take over from one that is killed in the middle of a creation, and end in one container', async () => {
    const order = { ...(await newVmOrder()), operationId: 'w-killed' };
    await add('create-vm', order);
    const name = `${instance}-${order.vmId}`;
    await vi.waitFor(() => docker.getContainer(name).inspect(), { timeout: 5_000, interval: 5 });
    const at = workers.findIndex(({ output }) => output().includes('"operationId":"w-killed"'));
    workers[at]?.child.kill('SIGKILL');
    expect(await outcomeOf('w-killed')).toMatchObject({ kind: 'succeeded' });
    expect((await leftovers()).containers).toEqual([name]);
    workers[at] = await startWorker();
    await done('destroy-vm', { ...operationOn(order.vmId), operationId: 'w-killed-destroy' });
  }, 40_000);

  it('end at SIGTERM within ten seconds, and hand back what takes longer', async () => {
    const order = { ...(await newVmOrder()), operationId: 'w-term' };
    await done('create-vm', order);
    await producer.putPrivate('exec:w-exec-term', Buffer.from('touch ~/started; sleep 50'));
    await add('exec', { ...operationOn(order.vmId), operationId: 'w-exec-term', timeoutSeconds: 60 });
    await vi.waitFor(() => ssh(order.sshPort, 'test -e started'), { timeout: 5_000 });
    const at = workers.findIndex(({ output }) => output().includes('"operationId":"w-exec-term"'));
    const begun = performance.now();
    workers[at]?.child.kill('SIGTERM');
    expect((await workers[at]?.child)?.exitCode).toBe(0);
    expect(performance.now() - begun).toBeLessThan(10_000);
    // The command goes on in the VM and must not run again; the other worker says that its outcome is lost.
    expect(await outcomeOf('w-exec-term')).toMatchObject({ reason: { code: 'outcome-unknown' } });
    const other = workers[1 - at];
    other?.child.kill('SIGTERM');
    expect((await other?.child)?.exitCode).toBe(0);
    const present = await readRollCall(producer.redis, instance, Date.now());
    for (const worker of workers) expect(present.map(({ pid }) => pid)).not.toContain(worker.child.pid);
  }, 40_000);

  it('end with status 1 and every fault at once when they are configured wrongly', async () => {
    const env = { INSTANCE: 'No!', DOCKER_HOST: 'somewhere', REDIS_URL: 'http://x', SSH_BIND_ADDRESS: 'all' };
    const { exitCode, stderr } = await execaNode(main, { env, reject: false });
    expect(exitCode).toBe(1);
    for (const name of Object.keys(env)) expect(stderr).toContain(`${name}: must`);
  });
});
