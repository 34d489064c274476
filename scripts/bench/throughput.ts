import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { createConsumer, type Processors } from '../../queues/consumer.ts';
import { createProducer } from '../../queues/producer.ts';
import { consumeReports } from '../../queues/reports.ts';
import { notifications } from '../../services/bot/notifications.ts';
import { createRelay } from '../../services/bot/relay.ts';
import { recordReport } from '../../services/bot/reports.ts';
import { execCommandName } from '../../services/bot/sealed-names.ts';
import { createJobsPolicy } from '../../services/bot/store/policies/jobs.ts';
import { openStore, type Store } from '../../services/bot/store/store.ts';
import { createLog } from '../../shared/log.ts';
import { newPassword } from '../../shared/secrets/password.ts';
import { createVault, type Vault } from '../../shared/secrets/vault.ts';
import { vm, vmStream } from '../../shared/vm/decider.ts';
import { startRedis } from '../../tests/support/redis.ts';

/**
 * Operations per second through event store, outbox, BullMQ, a processor that does nothing, report and message,
 * against BullMQ alone with as many jobs. Messages are written to their table; what Telegram's limits allow to be sent
 * is another matter.
 */

const log = createLog('bench', 'silent');
const at = new Date().toISOString();
const metadata = { actor: 1, chat: 1, correlationId: 'bench', causationId: null };
const gib = 1024 ** 3;
const limits = { memoryBytes: gib, cpus: 1, diskBytes: gib, gpu: false };

const doesNothing: Processors = {
  createVm: async () => ({ containerId: 'none', hostKeyFingerprint: 'none' }),
  startVm: async () => ({}),
  restartVm: async () => ({}),
  stopVm: async () => ({}),
  destroyVm: async () => ({}),
  exec: async () => ({ exitCode: 0, durationMs: 0, outputBytes: 0, truncated: false, timedOut: false }),
  buildImage: async () => ({ imageId: 'none' }),
  measureVms: async () => ({ vms: [] }),
};

/** VMs that run, as far as the events tell. */
const makeVms = async (store: Store, vault: Vault, count: number): Promise<string[]> => {
  const vmIds = Array.from({ length: count }, (_, index) => `bench${index}`);
  for (const [index, vmId] of vmIds.entries()) {
    await store.transaction(async (trx) => {
      await vault.seal(trx, vmId, 'password', newPassword());
      const operationId = `create${index}`;
      const request = {
        operationId,
        vmId,
        at,
        owner: index + 1,
        name: 'box',
        host: 'bench',
        limits,
        plan: null,
      };
      const data = { ...request, sshPort: 1_024 + index };
      await store.handle(trx, vm, vmStream(vmId), { type: 'RequestVm', data }, metadata);
      const created = { operationId, vmId, at, containerId: 'none', hostKeyFingerprint: 'none' };
      await store.handle(trx, vm, vmStream(vmId), { type: 'RecordCreated', data: created }, metadata);
      await trx.updateTable('outbox').set({ sent_at: at }).execute();
    });
  }
  return vmIds;
};

/** Operations per second, from the first request to the last outcome recorded. */
export const measureOperations = async (count: number): Promise<number> => {
  const dataDir = await mkdtemp(join(tmpdir(), 'berth-bench-'));
  const redis = await startRedis({ appendOnly: true });
  const vault = createVault(Buffer.alloc(32, 7));
  const store = await openStore({ dataDir, log, policies: [createJobsPolicy({ vault }), notifications] });
  const connection = { redisUrl: redis.url, instance: 'bench', log };
  const producer = createProducer(connection);
  const consumer = createConsumer({
    ...connection,
    host: 'bench',
    concurrency: { lifecycle: 8, exec: 32, image: 1, query: 8 },
    processors: doesNothing,
  });
  const vmIds = await makeVms(store, vault, 50);
  const done = Promise.withResolvers<void>();
  let ended = 0;
  const config = { SSH_PORT_RANGE: { first: 1_024, last: 2_048 } };
  const reports = consumeReports({
    ...connection,
    onReport: async (report) => {
      await recordReport({ store, vault, producer, config, log }, report);
      ended += 1;
      if (ended === count) done.resolve();
    },
  });
  const relay = createRelay({ store, vault, producer, log });
  store.onCommitted((events) => events.length > 0 && relay.wake());
  try {
    await Promise.all([consumer.ready, reports.ready]);
    const begun = performance.now();
    for (let index = 0; index < count; index += 1) {
      const vmId = vmIds[index % vmIds.length]!;
      const operationId = `exec${index}`;
      await store.transaction(async (trx) => {
        await vault.seal(trx, vmId, execCommandName(operationId), 'true');
        const data = { operationId, vmId, at, timeoutSeconds: 60 };
        await store.handle(trx, vm, vmStream(vmId), { type: 'RequestExec', data }, metadata);
      });
    }
    await done.promise;
    return count / ((performance.now() - begun) / 1_000);
  } finally {
    await relay.close();
    await reports.close();
    await consumer.close();
    await producer.close();
    await store.close();
    await redis.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
};

/** Jobs per second of BullMQ alone: added one by one as they come, done by a processor that does nothing. */
export const measureBullmq = async (count: number): Promise<number> => {
  const redis = await startRedis({ appendOnly: true });
  const connect = () => new Redis(redis.url, { maxRetriesPerRequest: null });
  const [forQueue, forWorker] = [connect(), connect()];
  const queue = new Queue('bench', { connection: forQueue });
  const done = Promise.withResolvers<void>();
  let ended = 0;
  const worker = new Worker('bench', async () => ({}), { connection: forWorker, concurrency: 32 });
  worker.on('completed', () => {
    ended += 1;
    if (ended === count) done.resolve();
  });
  try {
    await worker.waitUntilReady();
    const begun = performance.now();
    for (let index = 0; index < count; index += 1) await queue.add('nothing', { index });
    await done.promise;
    return count / ((performance.now() - begun) / 1_000);
  } finally {
    await worker.close();
    await queue.close();
    forQueue.disconnect();
    forWorker.disconnect();
    await redis.stop();
  }
};
