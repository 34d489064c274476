import { fileURLToPath } from 'node:url';
import { execaNode } from 'execa';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { JobName, Outcome, Report } from '../../queues/catalog.ts';
import { createProducer, type Producer } from '../../queues/producer.ts';
import { consumeReports } from '../../queues/reports.ts';
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
let redis: Awaited<ReturnType<typeof startTestRedis>>;
let producer: Producer;
let reporting: ReturnType<typeof consumeReports>;

const startWorker = async () => {
  const env = { ...testEnv, REDIS_URL: redis.url, LOG_LEVEL: 'debug' };
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
  producer = createProducer({ redisUrl: redis.url, instance, log });
  reporting = consumeReports({
    redisUrl: redis.url,
    instance,
    log,
    onReport: async (report) => {
      reports.push(report);
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
  }, 40_000);

  it('end with status 1 and every fault at once when they are configured wrongly', async () => {
    const env = { INSTANCE: 'No!', DOCKER_HOST: 'somewhere', REDIS_URL: 'http://x', SSH_BIND_ADDRESS: 'all' };
    const { exitCode, stderr } = await execaNode(main, { env, reject: false });
    expect(exitCode).toBe(1);
    for (const name of Object.keys(env)) expect(stderr).toContain(`${name}: must`);
  });
});
