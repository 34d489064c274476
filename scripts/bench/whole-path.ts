import { pino } from 'pino';
import { createProducer } from '../../queues/producer.ts';
import { consumeReports } from '../../queues/reports.ts';
import { createElapsed } from '../../services/bot/elapsed.ts';
import { createNotifications } from '../../services/bot/notifications.ts';
import { createProgressBoard } from '../../services/bot/progress-board.ts';
import { createRelay } from '../../services/bot/relay.ts';
import { createRender } from '../../services/bot/render/render.ts';
import { recordReport } from '../../services/bot/reports.ts';
import { execCommandName, passwordName } from '../../services/bot/sealed-names.ts';
import { createJobsPolicy } from '../../services/bot/store/policies/jobs.ts';
import { openStore, type Store } from '../../services/bot/store/store.ts';
import { type Api, createApi } from '../../services/bot/telegram/client.ts';
import type { Pacing } from '../../services/bot/telegram/pacing.ts';
import { createSender } from '../../services/bot/telegram/sender.ts';
import { createLog } from '../../shared/log.ts';
import { newPassword } from '../../shared/secrets/password.ts';
import { createVault, type Vault } from '../../shared/secrets/vault.ts';
import { vm, vmStream } from '../../shared/vm/decider.ts';
import { benchSecret } from './link-secret.ts';
import { addVm } from './vms.ts';
import { aborted } from './waiting.ts';

/** The bot's data path, put together as `services/bot/main.ts` does it, without the poller. */

/** Telegram allows 25 messages a second, and that would be the figure; what is measured is how fast Berth can be. */
const unlimited: Pacing = { delay: () => 0, take: () => {}, giveBack: () => {}, pause: () => {} };

/** Its lines are made as in production, so that their cost counts. */
const log = createLog('bench', 'info', pino.destination('/dev/null'));

type Options = { dataDir: string; redisUrl: string; apiRoot: string; token: string; people: number };

/** A VM for each of them, as far as events tell; people are numbered from 2 on. */
const addVms = async (store: Store, vault: Vault, people: number): Promise<void> => {
  for (let owner = 2; owner <= people + 1; owner += 1) {
    await store.transaction(async (trx) => {
      await vault.seal(trx, `vm${owner}`, passwordName, newPassword());
      await addVm(store, trx, { vmId: `vm${owner}`, owner, host: 'bench', sshPort: 20_000 + owner });
      await trx.updateTable('outbox').set({ sent_at: new Date().toISOString() }).execute();
      await trx.deleteFrom('messages').execute();
    });
  }
};

const countEnds = (api: Api, onEnd: () => void): Api => ({
  ...api,
  async call<T>(...[method, payload, options]: Parameters<Api['call']>) {
    const answer = await api.call<T>(method, payload, options);
    if (String(payload.text).includes('exit code 0')) onEnd();
    return answer;
  },
});

export const openPath = async ({ dataDir, redisUrl, apiRoot, token, people }: Options) => {
  const vault = createVault(Buffer.alloc(32, 7));
  const store = await openStore({
    dataDir,
    log,
    policies: [createJobsPolicy({ vault }), createNotifications([])],
  });
  await addVms(store, vault, people);
  const connection = { redisUrl, instance: 'bench', linkSecret: benchSecret, log };
  const producer = createProducer(connection);
  const api = createApi({ token, apiRoot });
  const config = {
    INSTANCE: 'bench',
    ADMIN_USER_ID: [],
    HOST_ID: 'local',
    SSH_PORT_RANGE: { first: 20_000, last: 30_000 },
    SSH_PUBLIC_HOST: '127.0.0.1',
  };
  const board = createProgressBoard();
  const hosts = {
    workers: () => [],
    factsOf: () => null,
    gpuOf: () => null,
    queuesOf: () => [],
    gateways: () => [],
    troubleOf: () => null,
    redis: () => 'answers' as const,
  };
  const render = createRender({
    db: store.db,
    vault,
    config,
    board,
    hosts,
    terminals: { countOf: () => 0 },
    elapsed: createElapsed(),
    now: Date.now,
  });
  let [recorded, told, operations] = [0, 0, 0];
  let onProgress = () => {};
  const counting = countEnds(api, () => {
    told += 1;
    onProgress();
  });
  const sender = createSender({ db: store.db, api: counting, render, log, pacing: unlimited });
  const relay = createRelay({ store, vault, producer, log });
  const reports = consumeReports({
    ...connection,
    onReport: async (report) => {
      await recordReport({ store, vault, producer, config, log }, report);
      recorded += 1;
      onProgress();
    },
  });
  store.onCommitted((events) => {
    sender.wake();
    if (events.length > 0) relay.wake();
  });
  await reports.ready;

  const request = async (index: number): Promise<void> => {
    const owner = 2 + (index % people);
    const [vmId, operationId] = [`vm${owner}`, `exec${index}`];
    await store.transaction(async (trx) => {
      await vault.seal(trx, vmId, execCommandName(operationId), 'true');
      const data = { operationId, vmId, at: new Date().toISOString(), timeoutSeconds: 60 };
      const metadata = { actor: owner, chat: owner, correlationId: operationId, causationId: null };
      await store.handle(trx, vm, vmStream(vmId), { type: 'RequestExec', data }, metadata);
    });
  };

  return {
    /** Operations per second, from the first request until every outcome is an event and its message is in the chat. */
    async measure(count: number, signal: AbortSignal): Promise<number> {
      const done = Promise.withResolvers<void>();
      [recorded, told] = [0, 0];
      onProgress = () => recorded === count && told === count && done.resolve();
      const begun = performance.now();
      // One after another, as updates are taken.
      for (let index = 0; index < count; index += 1) await request(operations + index);
      operations += count;
      await Promise.race([done.promise, aborted(signal)]);
      return count / ((performance.now() - begun) / 1_000);
    },
    async close(): Promise<void> {
      await relay.close();
      await reports.close();
      await sender.close();
      api.close();
      await producer.close();
      await store.close();
    },
  };
};
