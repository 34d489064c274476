import { buildImage, measureVms, type Report } from '../../queues/catalog.ts';
import { createProducer } from '../../queues/producer.ts';
import { subscribeProgress } from '../../queues/progress.ts';
import { consumeReports } from '../../queues/reports.ts';
import { parseEnv } from '../../shared/env.ts';
import { envOrExit, type Lifecycle, runService } from '../../shared/lifecycle.ts';
import { createLog } from '../../shared/log.ts';
import { loadMasterKey } from '../../shared/secrets/master-key.ts';
import { createVault } from '../../shared/secrets/vault.ts';
import { menusFor } from './command-menus.ts';
import { botEnv } from './env.ts';
import { emptyLog, startHousekeeping } from './housekeeping.ts';
import { allowedUpdates } from './interpret.ts';
import { createMeasurements } from './measurements.ts';
import { notifications, operationMessageKey } from './notifications.ts';
import { createProgressBoard } from './progress-board.ts';
import { createRelay } from './relay.ts';
import { createRender } from './render.ts';
import { recordReport } from './reports.ts';
import { createJobsPolicy } from './store/policies/jobs.ts';
import { openStore } from './store/store.ts';
import { createSweeper } from './sweeper.ts';
import { answerCallback, showTyping } from './telegram/callbacks.ts';
import { createApi } from './telegram/client.ts';
import { identifyPatiently } from './telegram/identify.ts';
import { registerMenu } from './telegram/menus.ts';
import { startPoller } from './telegram/poller.ts';
import { createSender } from './telegram/sender.ts';
import { createTicker } from './ticker.ts';
import { createUpdateHandler } from './update-handler.ts';

/** The bot decides and records; it knows Telegram, the database and Redis, and never Docker. */

const env = envOrExit(() => parseEnv(botEnv, process.env));
const log = createLog('bot', env.LOG_LEVEL);

const compose = async (lifecycle: Lifecycle): Promise<void> => {
  const { INSTANCE: instance, REDIS_URL: redisUrl, DATA_DIR: dataDir, ADMIN_USER_ID: administrators } = env;
  const vault = createVault(loadMasterKey({ dataDir, secretKey: env.SECRET_KEY }));
  const store = await openStore({ dataDir, log, policies: [createJobsPolicy({ vault }), notifications] });
  lifecycle.onShutdown('store', () => store.close());

  const api = createApi({ token: env.TELEGRAM_BOT_TOKEN, apiRoot: env.TELEGRAM_API_ROOT });
  lifecycle.onShutdown('Telegram', () => api.close());
  const bot = await identifyPatiently(api, log, lifecycle.signal);

  const producer = createProducer({ redisUrl, instance, log });
  lifecycle.onShutdown('producer', () => producer.close());

  const board = createProgressBoard();
  const render = createRender({ db: store.db, vault, config: env, board, now: Date.now });
  const sender = createSender({ db: store.db, api, render, log });
  lifecycle.onShutdown('sender', () => sender.close());
  const relay = createRelay({ store, vault, producer, log });
  lifecycle.onShutdown('relay', () => relay.close());
  store.onCommitted((events) => {
    sender.wake();
    if (events.length > 0) relay.wake();
    board.forgetEnded(events);
    if (events.some(({ type }) => type === 'VmDestroyed')) {
      emptyLog(store).catch((err) => log.warn({ err }, 'the write-ahead log could not be emptied'));
    }
  });

  const progress = subscribeProgress({ redisUrl, instance, log }, (step) => {
    for (const operationId of board.record(step)) sender.refresh(operationMessageKey(operationId));
  });
  lifecycle.onShutdown('progress', () => progress.close());

  const measurements = createMeasurements({ db: store.db, producer, board, refresh: sender.refresh, log });
  const record = (report: Pick<Report, 'operationId' | 'jobId' | 'outcome' | 'at'>): Promise<void> =>
    recordReport({ store, vault, producer, config: env, log }, report);
  const reports = consumeReports({
    redisUrl,
    instance,
    log,
    onReport: async (report) => {
      if (report.jobName === measureVms.name) measurements.record(report);
      else if (report.jobName !== buildImage.name) await record(report);
    },
  });
  lifecycle.onShutdown('reports', () => reports.close());

  const sweeper = createSweeper({ store, vault, producer, record, log });
  lifecycle.onShutdown('sweeper', () => sweeper.close());
  const ticker = createTicker({ db: store.db, producer, board, refresh: sender.refresh, log });
  lifecycle.onShutdown('ticker', () => ticker.close());
  const housekeeping = startHousekeeping({ store, vault, log });
  lifecycle.onShutdown('housekeeping', () => housekeeping.close());

  const menus = menusFor(administrators);
  const registering = { api, log, signal: lifecycle.signal };
  for (const menu of menus.all) void registerMenu(registering, menu);

  const handle = createUpdateHandler({
    store,
    vault,
    config: env,
    bot,
    log,
    answerCallback: (queryId, toast) => void answerCallback({ api, log }, queryId, toast),
    showTyping: (chatId) => void showTyping({ api, log }, chatId),
    measure: measurements.ask,
    onReachable: (chatId) => {
      sender.unmute(chatId);
      // An administrator who had never written had no chat to register a menu for.
      const menu = menus.of(chatId);
      if (menu !== undefined) void registerMenu(registering, menu);
    },
    onUnreachable: sender.mute,
  });
  const poller = startPoller({ api, allowedUpdates, handle, log, signal: lifecycle.signal });
  lifecycle.onShutdown('poller', () => poller.ended, 10_000);
  // Ending by itself means that going on makes no sense: the token is wrong, or somebody else polls with it.
  poller.ended.catch((error) => lifecycle.fail(error));
};

void runService(log, compose);
