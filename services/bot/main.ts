import {
  buildImage,
  lookAtVms,
  measureDisks,
  measureVms,
  probeGpu,
  type Report,
  removeLeftovers,
  takeStock,
} from '../../queues/catalog.ts';
import { whenReady } from '../../queues/connection.ts';
import { startFiguresWriter } from '../../queues/metrics.ts';
import { createProducer } from '../../queues/producer.ts';
import { subscribeProgress } from '../../queues/progress.ts';
import { watchRedis } from '../../queues/redis-state.ts';
import { consumeReports } from '../../queues/reports.ts';
import { startHeartbeat } from '../../shared/heartbeat.ts';
import { envOrExit, type Lifecycle, runService } from '../../shared/lifecycle.ts';
import { createLog } from '../../shared/log.ts';
import { createProcessMetrics } from '../../shared/metrics/process-metrics.ts';
import { ensureLinkSecretOf } from '../../shared/secrets/link-secret.ts';
import { loadMasterKey } from '../../shared/secrets/master-key.ts';
import { createVault } from '../../shared/secrets/vault.ts';
import { createMenus } from './command-menus.ts';
import { createDiskWatch } from './disk-watch.ts';
import { createElapsed } from './elapsed.ts';
import { parseBotEnv } from './env.ts';
import { createHosts } from './hosts.ts';
import { startHousekeeping } from './housekeeping.ts';
import { allowedUpdates } from './interpret.ts';
import { refreshLinks } from './links.ts';
import { createMeasurements } from './measurements.ts';
import { countOperations } from './metrics/operations.ts';
import { countCalls } from './metrics/telegram-calls.ts';
import { countVms } from './metrics/vms.ts';
import { createNotifications, operationMessageKey } from './notifications.ts';
import { createObservations } from './observations.ts';
import { claimInstance } from './only-bot.ts';
import { createOutageNotices } from './outage-notices.ts';
import { createProgressBoard } from './progress-board.ts';
import { createRelay } from './relay.ts';
import { createRender } from './render/render.ts';
import { recordImage, recordReport } from './reports.ts';
import { createStockTaking } from './stock-taking.ts';
import { createStorageOutage } from './storage-outage.ts';
import { createJobsPolicy } from './store/policies/jobs.ts';
import { openStore } from './store/store.ts';
import { createSweeper } from './sweeper.ts';
import { answerCallback, deleteMessage, showTyping } from './telegram/callbacks.ts';
import { createApi } from './telegram/client.ts';
import { identifyPatiently } from './telegram/identify.ts';
import { startPoller } from './telegram/poller.ts';
import { createSender } from './telegram/sender.ts';
import { createTerminals } from './terminals.ts';
import { createTicker } from './ticker.ts';
import { createTraces } from './traces.ts';
import { createUpdateHandler } from './update-handler.ts';

/** The bot decides and records; it knows Telegram, the database and Redis, and never Docker. */

const env = envOrExit(() => {
  // Before the others can read it somebody has to make it: the bot, of which there is one.
  ensureLinkSecretOf(process.env);
  return parseBotEnv(process.env);
});
const log = createLog('bot', env.LOG_LEVEL);

const compose = async (lifecycle: Lifecycle): Promise<void> => {
  const { INSTANCE: instance, REDIS_URL: redisUrl, DATA_DIR: dataDir, ADMIN_USER_ID: administrators } = env;
  const { LINK_SECRET: linkSecret } = env;
  const vault = createVault(loadMasterKey({ dataDir, secretKey: env.SECRET_KEY }));
  const policies = [createJobsPolicy({ vault }), createNotifications(administrators)];
  const store = await openStore({ dataDir, log, policies });
  lifecycle.onShutdown('store', () => store.close());

  const registry = createProcessMetrics();
  countVms(registry, store.db);
  const api = countCalls(
    registry,
    createApi({ token: env.TELEGRAM_BOT_TOKEN, apiRoot: env.TELEGRAM_API_ROOT }),
  );
  lifecycle.onShutdown('Telegram', () => api.close());
  const bot = await identifyPatiently(api, log, lifecycle.signal);

  const producer = createProducer({ redisUrl, instance, linkSecret, log });
  lifecycle.onShutdown('producer', () => producer.close());
  const figures = startFiguresWriter({ redis: producer.redis, instance, process: 'bot', registry, log });
  lifecycle.onShutdown('figures', figures.close);

  await claimInstance({ store, producer, instance, lifecycle, log });
  const redisWatch = watchRedis(producer.redis, instance);
  lifecycle.onShutdown('probe', redisWatch.close);
  const board = createProgressBoard();
  const hosts = createHosts({
    producer,
    instance,
    redis: redisWatch.state,
    hosts: [env.HOST_ID],
    refresh: (key) => sender.refresh(key, { awaited: true }),
    onOriginsChanged: () => {
      refreshLinks({ db: store.db, refresh: sender.refresh, now: new Date() }).catch((err) =>
        log.warn({ err }, 'links that lead nowhere could not be marked'),
      );
    },
    log,
  });
  lifecycle.onShutdown('hosts', () => hosts.close());
  const terminals = createTerminals({ producer, instance, log });
  lifecycle.onShutdown('terminals', () => terminals.stop());
  const render = createRender({
    db: store.db,
    vault,
    config: env,
    board,
    hosts,
    terminals,
    elapsed: createElapsed(),
    now: Date.now,
  });
  const sender = createSender({ db: store.db, api, render, log });
  lifecycle.onShutdown('sender', () => sender.close());
  const relay = createRelay({ store, vault, producer, log });
  lifecycle.onShutdown('relay', () => relay.close());
  const traces = createTraces({ store, producer, log });
  lifecycle.onShutdown('traces', () => traces.close());
  traces.begin();
  store.onCommitted(countOperations(registry, store.db, log));
  store.onCommitted((events) => {
    sender.wake();
    if (events.length > 0) relay.wake();
    board.forgetEnded(events);
    terminals.onCommitted(events);
    traces.onCommitted(events);
  });

  const progress = subscribeProgress({ redisUrl, instance, linkSecret, log }, (step) => {
    for (const operationId of board.record(step)) sender.refresh(operationMessageKey(operationId));
  });
  lifecycle.onShutdown('progress', () => progress.close());

  const measurements = createMeasurements({
    db: store.db,
    producer,
    board,
    refresh: (key) => sender.refresh(key, { awaited: true }),
    terminals,
    log,
  });
  const record = (report: Pick<Report, 'operationId' | 'jobId' | 'outcome' | 'at'>): Promise<void> =>
    recordReport({ store, vault, producer, config: env, log }, report);
  const observations = createObservations({ store, producer, log });
  lifecycle.onShutdown('observations', () => observations.close());
  const diskWatch = createDiskWatch({ store, producer, board, log });
  lifecycle.onShutdown('disks', () => diskWatch.close());
  const stockTaking = createStockTaking({
    store,
    producer,
    instance,
    hosts: () => hosts.workers().map(({ host }) => host),
    log,
  });
  lifecycle.onShutdown('stock-taking', () => stockTaking.close());
  const reports = consumeReports({
    redisUrl,
    instance,
    log,
    onHint: async (hint) => {
      if (hint.kind === 'engine-back') stockTaking.look([hint.host]);
      await observations.onHint(hint);
    },
    onReport: async (report) => {
      switch (report.jobName) {
        case measureVms.name:
          return measurements.record(report);
        case probeGpu.name:
          return hosts.record(report);
        case measureDisks.name:
          return diskWatch.record(report);
        case lookAtVms.name:
          return observations.record(report);
        case takeStock.name:
          return stockTaking.record(report);
        case removeLeftovers.name:
          return stockTaking.recordRemoval(report);
        case buildImage.name:
          return recordImage({ store, record, host: env.HOST_ID }, report);
        default:
          return record(report);
      }
    },
  });
  lifecycle.onShutdown('reports', () => reports.close());

  const outages = createOutageNotices({
    store,
    troubles: { of: hosts.troubleOf, redis: hosts.redis },
    hosts: [env.HOST_ID],
    administrators,
    log,
  });
  lifecycle.onShutdown('outages', outages.close);
  const sweeper = createSweeper({ store, vault, producer, record, log });
  lifecycle.onShutdown('sweeper', () => sweeper.close());
  const ticker = createTicker({ db: store.db, producer, board, refresh: sender.refresh, log });
  lifecycle.onShutdown('ticker', () => ticker.close());
  const housekeeping = startHousekeeping({ store, vault, log });
  lifecycle.onShutdown('housekeeping', () => housekeeping.close());

  const menus = createMenus({ api, store, administrators, log, signal: lifecycle.signal });
  menus.register();

  const storageOutage = createStorageOutage({ api, botUsername: bot.username, administrators, log });
  const handle = createUpdateHandler({
    store,
    vault,
    config: env,
    bot,
    hosts,
    log,
    answerCallback: (queryId, toast) => void answerCallback({ api, log }, queryId, toast),
    showTyping: (chatId) => void showTyping({ api, log }, chatId),
    measure: measurements.ask,
    lookAtHosts: hosts.look,
    probeGpu: (keys, correlationId) => hosts.probe(env.HOST_ID, keys, correlationId),
    closeTerminals: terminals.close,
    deleteMessage: (message) => void deleteMessage({ api, log, signal: lifecycle.signal }, message),
    onReachable: (chatId) => {
      sender.unmute(chatId);
      menus.onReachable(chatId);
    },
    onUnreachable: sender.mute,
  });
  observations.look();
  void whenReady(producer.redis).then(() => {
    diskWatch.look();
    stockTaking.look([env.HOST_ID]);
  });
  const poller = startPoller({
    api,
    allowedUpdates,
    handle: async (update) => {
      await handle(update);
      storageOutage.passed();
    },
    onPutOff: storageOutage.onPutOff,
    log,
    signal: lifecycle.signal,
  });
  lifecycle.onShutdown('poller', () => poller.ended, 10_000);
  // Ending by itself means that going on makes no sense: the token is wrong, or somebody else polls with it.
  poller.ended.catch((error) => lifecycle.fail(error));
  if (env.HEARTBEAT_FILE !== undefined) await startHeartbeat(env.HEARTBEAT_FILE, lifecycle, log);
};

void runService(log, compose);
