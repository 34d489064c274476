import { createWriteStream, existsSync, mkdirSync, renameSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type BotEnv, botEnv } from '../../services/bot/env.ts';
import { createApi, identifyBot } from '../../services/bot/telegram/client.ts';
import { parseGatewayEnv } from '../../services/gateway/env.ts';
import { parsePracticeEnv } from '../../services/practice/env.ts';
import { parseWorkerEnv } from '../../services/worker/env.ts';
import { EnvError, parseEnv } from '../../shared/env.ts';
import { takeFileLock } from '../../shared/file-lock.ts';
import { envOrExit } from '../../shared/lifecycle.ts';
import { type SupervisorEnv, supervisorEnv } from './env.ts';
import { type Keeper, keep } from './keeper.ts';
import { prepareRedis } from './redis.ts';

/** Runs all of Berth's processes on one machine: `./scripts/start` after the set-up. */

type Source = NodeJS.ProcessEnv;

if (existsSync('.env')) process.loadEnvFile('.env');
const source: Source = { ...process.env };
const root = resolve(import.meta.dirname, '../..');

/** The practice chat stands in for Telegram where there is no token. */
const withPractice = (variables: Source): Source => {
  const token = variables.PRACTICE_TOKEN || '1000000:practice-chat-token-for-this-machine-only';
  return {
    ...variables,
    ADMIN_USER_ID: variables.ADMIN_USER_ID || '1001',
    PRACTICE_TOKEN: token,
    TELEGRAM_BOT_TOKEN: token,
    TELEGRAM_API_ROOT: `http://127.0.0.1:${variables.PRACTICE_PORT || '8081'}`,
  };
};

/** Reads everybody's variables, so that all faults of all processes are listed at once. */
const readEverything = (): { env: SupervisorEnv; bot: BotEnv; variables: Source; practice: boolean } => {
  const practice = !source.TELEGRAM_BOT_TOKEN && !source.TELEGRAM_BOT_TOKEN_FILE;
  const variables = practice ? withPractice(source) : source;
  const faults = new Set<string>();
  const collect = <T>(read: () => T): T | undefined => {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof EnvError)) throw error;
      for (const line of error.message.split('\n').slice(1)) faults.add(line);
      return undefined;
    }
  };
  const env = collect(() => parseEnv(supervisorEnv, variables));
  const bot = collect(() => parseEnv(botEnv, variables));
  collect(() => parseWorkerEnv(variables));
  collect(() => parseGatewayEnv(variables));
  if (practice) collect(() => parsePracticeEnv(variables));
  if (env === undefined || bot === undefined || faults.size > 0)
    throw new EnvError(`Wrong configuration:\n${[...faults].join('\n')}`);
  return { env, bot, variables, practice };
};

const { env, bot, variables, practice } = envOrExit(readEverything);
if (process.argv.includes('--check')) process.exit(0);

const tell = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

// Nobody else has any business with the database and what seals it.
mkdirSync(env.DATA_DIR, { recursive: true, mode: 0o700 });
mkdirSync(join(env.DATA_DIR, 'logs'), { recursive: true });
const unlock = takeFileLock(join(env.DATA_DIR, 'start.lock'));
if (unlock === null) {
  process.stderr.write(
    `Berth runs already with DATA_DIR=${env.DATA_DIR}. Stop it first, or give this one a DATA_DIR, an INSTANCE and ports of its own.\n`,
  );
  process.exit(1);
}

const openLog = (name: string) => {
  const path = join(env.DATA_DIR, 'logs', `${name}.log`);
  if (existsSync(path)) renameSync(path, `${path}.1`);
  return createWriteStream(path, { mode: 0o600 });
};

/** Only the bot may know what Telegram and the sealed values open with. */
const botsAlone = ['TELEGRAM_BOT_TOKEN', 'TELEGRAM_BOT_TOKEN_FILE', 'SECRET_KEY', 'SECRET_KEY_FILE'];
const withoutSecrets = (all: Source): Source =>
  Object.fromEntries(Object.entries(all).filter(([name]) => !botsAlone.includes(name)));

const saysReady = (line: string): boolean => line.includes('"msg":"ready"');

/** In the order in which they were started; they end in the reverse one. */
const kept: Keeper[] = [];

const startService = (name: string, script: string, serviceEnv: Source): Promise<void> => {
  const keeper = keep({
    name,
    command: process.execPath,
    args: [join(root, script)],
    env: { ...serviceEnv, DATA_DIR: resolve(env.DATA_DIR) },
    isReady: saysReady,
    log: openLog(name),
    tell,
  });
  kept.push(keeper);
  return keeper.ready;
};

const startRedis = async (): Promise<string> => {
  if (env.REDIS_URL !== undefined) return env.REDIS_URL;
  const { command, args, url } = await prepareRedis(env.DATA_DIR);
  const isReady = (line: string) => line.includes('Ready to accept connections');
  const keeper = keep({
    name: 'redis',
    command,
    args,
    env: { PATH: source.PATH },
    isReady,
    log: openLog('redis'),
    tell,
  });
  kept.push(keeper);
  await keeper.ready;
  return url;
};

/** Milliseconds: bot and workers finish or hand back within ten seconds; all ends within twenty. */
const serviceDeadline = 12_000;
const lastDeadline = 5_000;

let stopping: Promise<void> | null = null;
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
  if (practice) return `open http://127.0.0.1:${env.PRACTICE_PORT} and write /start`;
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
  const open = withoutSecrets(all);
  const startBot = async () => {
    // The bot asks Telegram who it is before anything else.
    if (practice) await startService('practice', 'services/practice/main.ts', open);
    await startService('bot', 'services/bot/main.ts', all);
  };
  const workers = Array.from({ length: env.WORKERS }, (_, index) =>
    startService(`worker-${index + 1}`, 'services/worker/main.ts', open),
  );
  await Promise.all([startBot(), ...workers, startService('gateway', 'services/gateway/main.ts', open)]);
};

try {
  await startAll();
  const place = await whereToGo();
  if (stopping === null) tell(`Berth is ready: ${place}`);
} catch (error) {
  if (stopping === null) {
    process.stderr.write(`\n${error instanceof Error ? error.message : String(error)}\n`);
    await end(1);
  }
}
