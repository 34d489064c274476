import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { type BotEnv, parseBotEnv } from '../../services/bot/env.ts';
import { parseGatewayEnv } from '../../services/gateway/env.ts';
import { type PracticeEnv, parsePracticeEnv } from '../../services/practice/env.ts';
import { parseWorkerEnv, type WorkerEnv } from '../../services/worker/env.ts';
import { EnvError, parseEnv } from '../../shared/env.ts';
import { hasTelegramToken, withPractice } from '../../shared/practice.ts';
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

/** Kept in DATA_DIR unless the settings say otherwise: what was sealed before a restart must open after it. */
const withLinkSecret = (variables: Source): Source =>
  variables.LINK_SECRET || variables.LINK_SECRET_FILE
    ? variables
    : { ...variables, LINK_SECRET_FILE: resolve(variables.DATA_DIR || './data', 'link.secret') };

/** The settings can be read, and their faults told, before anything is written: also before that file is there. */
const beforeItIsMade = (variables: Source): Source =>
  variables.LINK_SECRET || existsSync(variables.LINK_SECRET_FILE ?? '')
    ? variables
    : { ...variables, LINK_SECRET: 'made-when-the-processes-are-started', LINK_SECRET_FILE: undefined };

/** Throws one EnvError that lists every fault of every process, each once. */
export const readSettings = (source: Source): Settings => {
  const practising = !hasTelegramToken(source);
  const practiceUrl = `http://127.0.0.1:${source.PRACTICE_PORT || '8081'}`;
  const variables = withLinkSecret(practising ? withPractice(source, practiceUrl) : source);
  const checked = beforeItIsMade(variables);
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
  const supervisor = collect(() => parseEnv(supervisorEnv, checked));
  const bot = collect(() => parseBotEnv(checked));
  const worker = collect(() => parseWorkerEnv(checked));
  const gateway = collect(() => parseGatewayEnv(checked));
  const practice = practising ? collect(() => parsePracticeEnv(checked)) : null;
  if (!supervisor || !bot || !worker || !gateway || practice === undefined)
    throw new EnvError(`Wrong configuration:\n${[...faults].join('\n')}`);
  return { supervisor, bot, worker, gateway, practice, variables };
};

export type Process = 'bot' | 'worker' | 'gateway' | 'practice';

/** Everybody can read the secrets of what they break into: each is only where it is needed. */
const secrets: Record<string, Process[]> = {
  TELEGRAM_BOT_TOKEN: ['bot'],
  SECRET_KEY: ['bot'],
  PRACTICE_TOKEN: ['practice'],
  LINK_SECRET: ['bot', 'worker', 'gateway'],
  CLOUDFLARE_TOKEN: ['gateway'],
  METRICS_TOKEN: ['gateway'],
  // It holds the password.
  REDIS_URL: ['bot', 'worker', 'gateway'],
};

/** By name. They are handed over in files (hand-over.ts), not by the environment. */
export const secretNames: readonly string[] = Object.keys(secrets);

/** What a process is started with: everything but the secrets of others, and the files that hold them. */
export const environmentOf = (reader: Process, variables: Source): Source =>
  Object.fromEntries(
    Object.entries(variables).filter(
      ([name]) => secrets[name.replace(/_FILE$/, '')]?.includes(reader) ?? true,
    ),
  );
