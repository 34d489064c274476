import { subscribeProgress } from '../../queues/progress.ts';
import { measureVms } from '../../queues/catalog.ts';
import { createProducer } from '../../queues/producer.ts';
import { consumeReports } from '../../queues/reports.ts';
import { parseEnv } from '../../shared/env.ts';
import { envOrExit, type Lifecycle, runService } from '../../shared/lifecycle.ts';
import { createLog, type Log } from '../../shared/log.ts';
import { loadMasterKey } from '../../shared/secrets/master-key.ts';
import { createVault } from '../../shared/secrets/vault.ts';
import { commands } from './commands/index.ts';
import { type BotEnv, botEnv } from './env.ts';
import { forgetOldRows, forgetToldOutputs } from './housekeeping.ts';
import { allowedUpdates } from './interpret.ts';
import { createMeasurements } from './measurements.ts';
import { notifications, operationMessageKey } from './notifications.ts';
import { mayUse } from './people.ts';
import { createProgressBoard } from './progress-board.ts';
import { createRelay } from './relay.ts';
import { createRender } from './render.ts';
import { recordReport } from './reports.ts';
import { createJobsPolicy } from './store/policies/jobs.ts';
import { openStore } from './store/store.ts';
import { createSweeper } from './sweeper.ts';
import { createTicker } from './ticker.ts';
import { createTelegram } from './telegram/client.ts';
import { answerCallback } from './telegram/callbacks.ts';
import { registerMenus } from './telegram/menus.ts';
import { forgetOldMessages } from './telegram/messages.ts';
import { createPoller } from './telegram/poller.ts';
import { createSender } from './telegram/sender.ts';
import { createUpdateHandler } from './update-handler.ts';

/** The bot decides and records; it knows Telegram, the database and Redis, and never Docker. */

const env: BotEnv = envOrExit(() => parseEnv(botEnv, process.env));
const log: Log = createLog('bot', env.LOG_LEVEL);

/** Milliseconds between two rounds of housekeeping. */
const housekeepingInterval = 10 * 60_000;

const compose = async (lifecycle: Lifecycle): Promise<void> => {
  const vault = createVault(loadMasterKey({ dataDir: env.DATA_DIR, secretKey: env.SECRET_KEY }));
  const store = await openStore({
    dataDir: env.DATA_DIR,
    log,
    policies: [createJobsPolicy({ vault }), notifications],
  });
  lifecycle.onShutdown('store', () => store.close());

  const telegram = createTelegram({ token: env.TELEGRAM_BOT_TOKEN, apiRoot: env.TELEGRAM_API_ROOT });
  const bot = await telegram.getMe();

  const producer = createProducer({ redisUrl: env.REDIS_URL, instance: env.INSTANCE, log });
  lifecycle.onShutdown('producer', () => producer.close());

  const board = createProgressBoard();
  const render = createRender({ db: store.db, vault, config: env, board, now: Date.now });
  const sender = createSender({ db: store.db, telegram, render, log });
  lifecycle.onShutdown('sender', () => sender.close());

  const relay = createRelay({ store, vault, producer, log });
  lifecycle.onShutdown('relay', () => relay.close());
  store.onCommitted((events) => {
    sender.wake();
    if (events.length > 0) relay.wake();
    for (const { type, data } of events) if (endsOperation.has(type)) board.forget(operationIdOf(data));
  });

  const progress = await subscribeProgress({ redisUrl: env.REDIS_URL, instance: env.INSTANCE, log }, (step) => {
    for (const operationId of board.record(step)) sender.refresh(operationMessageKey(operationId));
  });
  lifecycle.onShutdown('progress', () => progress.close());

  const measurements = createMeasurements({ db: store.db, producer, board, refresh: sender.refresh, log });
  const record = (report: Report): Promise<void> => recordReport({ store, vault, producer, config: env, log }, report);
  const reports = consumeReports({
    redisUrl: env.REDIS_URL,
    instance: env.INSTANCE,
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
  const housekeeping = setInterval(() => {
    keepHouse(store, vault).catch((err) => log.warn({ err }, 'housekeeping failed'));
  }, housekeepingInterval);
  lifecycle.onShutdown('housekeeping', () => clearInterval(housekeeping));

  const menus = registerMenus({ telegram, log, signal: lifecycle.signal, menus: menusFor(env.ADMIN_USER_ID) });
  lifecycle.onShutdown('menus', () => menus);

  const handle = createUpdateHandler({
    store,
    vault,
    config: env,
    bot: { id: bot.id, username: bot.username },
    log,
    answerCallback: (queryId, toast) => answerCallback({ telegram, log }, queryId, toast),
    measure: measurements.ask,
    setReachable: (chatId, reachable) => {
      if (reachable) sender.unmute(chatId);
      else sender.mute(chatId);
    },
  });
  const poller = createPoller({ telegram, allowedUpdates, handle, log, signal: lifecycle.signal });
  lifecycle.onShutdown('poller', () => poller.closed, 10_000);
};

void runService(log, compose);
