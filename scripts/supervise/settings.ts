import { type BotEnv, botEnv } from '../../services/bot/env.ts';
import { parseGatewayEnv } from '../../services/gateway/env.ts';
import { type PracticeEnv, parsePracticeEnv } from '../../services/practice/env.ts';
import { parseWorkerEnv, type WorkerEnv } from '../../services/worker/env.ts';
import { EnvError, parseEnv } from '../../shared/env.ts';
import { type SupervisorEnv, supervisorEnv } from './env.ts';

/** The variables of all of Berth's processes, read together; and which process may see which secret. */

export type Source = NodeJS.ProcessEnv;

export type Settings = {
  supervisor: SupervisorEnv;
  bot: BotEnv;
  worker: WorkerEnv;
  gateway: ReturnType<typeof parseGatewayEnv>;
  /** Null where there is a token of Telegram's. */
  practice: PracticeEnv | null;
  /** What the processes are started with. */
  variables: Source;
};

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

/** Throws one EnvError that lists every fault of every process, each once. */
export const readSettings = (source: Source): Settings => {
  const practising = !source.TELEGRAM_BOT_TOKEN && !source.TELEGRAM_BOT_TOKEN_FILE;
  const variables = practising ? withPractice(source) : source;
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
  const supervisor = collect(() => parseEnv(supervisorEnv, variables));
  const bot = collect(() => parseEnv(botEnv, variables));
  const worker = collect(() => parseWorkerEnv(variables));
  const gateway = collect(() => parseGatewayEnv(variables));
  const practice = practising ? collect(() => parsePracticeEnv(variables)) : null;
  if (!supervisor || !bot || !worker || !gateway || practice === undefined)
    throw new EnvError(`Wrong configuration:\n${[...faults].join('\n')}`);
  return { supervisor, bot, worker, gateway, practice, variables };
};

export type Process = 'bot' | 'worker' | 'gateway' | 'practice';

/** Everybody can read the environment of what they break into: a secret is only where it is needed. */
const secrets: Record<string, Process[]> = {
  TELEGRAM_BOT_TOKEN: ['bot'],
  SECRET_KEY: ['bot'],
  PRACTICE_TOKEN: ['practice'],
  LINK_SECRET: ['worker', 'gateway'],
  CLOUDFLARE_TOKEN: ['gateway'],
  METRICS_TOKEN: ['gateway'],
  // It holds the password.
  REDIS_URL: ['bot', 'worker', 'gateway'],
};

/** What a process is started with: everything but the secrets of others, and the files that hold them. */
export const environmentOf = (reader: Process, variables: Source): Source =>
  Object.fromEntries(
    Object.entries(variables).filter(
      ([name]) => secrets[name.replace(/_FILE$/, '')]?.includes(reader) ?? true,
    ),
  );
