import { existsSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createApi, identifyBot } from '../../services/bot/telegram/client.ts';
import { takeFileLock } from '../../shared/file-lock.ts';
import { envOrExit } from '../../shared/lifecycle.ts';
import { ensureLinkSecretOf } from '../../shared/secrets/link-secret.ts';
import { handOver } from './hand-over.ts';
import { type Keeper, type Kept, keep } from './keeper.ts';
import { openLogFile } from './log-file.ts';
import { notifyReady } from './notify.ts';
import { prepareRedis } from './redis.ts';
import { environmentOf, type Process, readSettings, type Source, secretNames } from './settings.ts';

/** Runs all of Berth's processes on one machine: `./scripts/start` after the set-up. */

if (existsSync('.env')) process.loadEnvFile('.env');
const root = resolve(import.meta.dirname, '../..');

const { supervisor: env, bot, practice, variables } = envOrExit(() => readSettings({ ...process.env }));
if (process.argv.includes('--check')) process.exit(0);

// The terminal may be gone before Berth is: there is nobody to tell then, and that is no reason to end without order.
process.stdout.on('error', () => undefined);
const tell = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

const refuse = (text: string): never => {
  process.stderr.write(`${text}\n`);
  process.exit(1);
};

/** Makes the folder where it is missing, and takes it for this Berth alone; gives how to let go of it. */
const takeDataDir = (): (() => void) => {
  try {
    // Nobody else has any business with the database and what seals it.
    mkdirSync(env.DATA_DIR, { recursive: true, mode: 0o700 });
    mkdirSync(join(env.DATA_DIR, 'logs'), { recursive: true });
    const unlock = takeFileLock(join(env.DATA_DIR, 'start.lock'));
    if (unlock !== null) return unlock;
  } catch (error) {
    refuse(`DATA_DIR=${env.DATA_DIR} cannot be used: ${(error as Error).message}`);
  }
  return refuse(
    `Berth runs already with DATA_DIR=${env.DATA_DIR}. Stop it first, or give this one a DATA_DIR, an INSTANCE and ports of its own.`,
  );
};

const unlock = takeDataDir();

const saysReady = (line: string): boolean => line.includes('"msg":"ready"');

/** In the order in which they were started; they end in the reverse one. */
const kept: Keeper[] = [];
let stopping: Promise<void> | null = null;

const startProcess = (wish: Omit<Kept, 'log' | 'tell'>): Promise<void> => {
  // Whoever starts now would be missed by those who end the others.
  if (stopping !== null) return Promise.reject(new Error(`${wish.name} is not started any more`));
  const log = openLogFile(join(env.DATA_DIR, 'logs', `${wish.name}.log`), tell);
  const keeper = keep({ ...wish, log, tell });
  kept.push(keeper);
  return keeper.ready;
};

const startService = (service: Process, all: Source, name: string = service): Promise<void> => {
  const { variables, files } = handOver(environmentOf(service, all), secretNames, env.DATA_DIR);
  return startProcess({
    name,
    command: process.execPath,
    args: [join(root, `services/${service}/main.ts`)],
    env: { ...variables, DATA_DIR: resolve(env.DATA_DIR) },
    files,
    isReady: saysReady,
  });
};

const startRedis = async (): Promise<string> => {
  if (env.REDIS_URL !== undefined) return env.REDIS_URL;
  const { command, args, url } = await prepareRedis(env.DATA_DIR);
  const isReady = (line: string) => line.includes('Ready to accept connections');
  await startProcess({ name: 'redis', command, args, env: { PATH: variables.PATH }, isReady });
  return url;
};

/** Milliseconds: bot and workers finish or hand back within ten seconds; all ends within twenty. */
const serviceDeadline = 12_000;
const lastDeadline = 5_000;

const stop = async (): Promise<void> => {
  // What does the work ends first, together; then what it needs to say its last words.
  const needed = ['practice', 'redis'];
  const services = kept.filter(({ name }) => !needed.includes(name));
  await Promise.all(services.map((keeper) => keeper.stop(serviceDeadline)));
  await Promise.all(
    kept.filter(({ name }) => needed.includes(name)).map((keeper) => keeper.stop(lastDeadline)),
  );
  unlock();
};

const end = async (status: number): Promise<void> => {
  stopping ??= stop();
  await stopping;
  process.exit(status);
};

/** What a person asks for by pressing Ctrl-C twice. Nothing is lost: every process may be killed at any time. */
const endByForce = (): void => {
  for (const keeper of kept) keeper.kill();
  process.exit(130);
};

for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
  process.on(signal, () => {
    if (stopping !== null) {
      if (signal === 'SIGINT') endByForce();
      return;
    }
    tell(`Stopping Berth; the VMs go on.${signal === 'SIGINT' ? ' Ctrl-C again ends it by force.' : ''}`);
    void end(0);
  });
}

const whereToGo = async (): Promise<string> => {
  if (practice !== null) return `open http://127.0.0.1:${env.PRACTICE_PORT} and write /start`;
  const api = createApi({ token: bot.TELEGRAM_BOT_TOKEN, apiRoot: bot.TELEGRAM_API_ROOT });
  // The name is a courtesy: the bot itself has asked already, and would have ended with a wrong token.
  const name = await identifyBot(api).then(
    ({ username }) => `@${username}`,
    () => 'your bot',
  );
  api.close();
  return `write /start to ${name} in Telegram`;
};

const startAll = async (): Promise<void> => {
  const redisUrl = await startRedis();
  const all: Source = { ...variables, REDIS_URL: redisUrl };
  ensureLinkSecretOf(all);
  const startBot = async () => {
    // The bot asks Telegram who it is before anything else.
    if (practice !== null) await startService('practice', all);
    await startService('bot', all);
  };
  const workers = Array.from({ length: env.WORKERS }, (_, index) =>
    startService('worker', all, `worker-${index + 1}`),
  );
  await Promise.all([startBot(), ...workers, startService('gateway', all)]);
};

try {
  await startAll();
  const place = await whereToGo();
  if (stopping === null) {
    tell(`Berth is ready: ${place}`);
    await notifyReady(`ready: ${place}`, process.env);
  }
} catch (error) {
  if (stopping === null) {
    process.stderr.write(`\n${error instanceof Error ? error.message : String(error)}\n`);
    await end(1);
  }
}
