import { z } from 'zod';
import {
  dataDir,
  heartbeatFile,
  hostId,
  instance,
  linkSecret,
  logLevel,
  parseEnv,
  redisUrl,
} from '../../shared/env.ts';
import { hasTelegramToken, withPractice } from '../../shared/practice.ts';

const administrators = z
  .string({
    error: 'is missing: the Telegram id of the administrator (write to @userinfobot to learn yours)',
  })
  .transform((text) => text.split(',').map((id) => id.trim()))
  .refine((ids) => ids.every((id) => /^[1-9]\d{0,15}$/.test(id)), 'must be Telegram ids, separated by commas')
  .transform((ids) => ids.map(Number));

const portRange = z
  .string()
  .default('22000-22999')
  .transform((text, context) => {
    const [, first, last] = /^(\d{1,5})-(\d{1,5})$/.exec(text) ?? [];
    const range = { first: Number(first), last: Number(last) };
    if (range.first >= 1 && range.first <= range.last && range.last <= 65_535) return range;
    context.addIssue({ code: 'custom', message: 'must be two ports such as 22000-22999' });
    return z.NEVER;
  });

const url = (example: string) =>
  z
    .url({ protocol: /^https?$/, error: `must be a URL such as ${example}` })
    .transform((text) => text.replace(/\/+$/, ''));

/** The bot's variables; `TELEGRAM_API_ROOT` may point to a Bot API server of one's own. */
export const botEnv = z.object({
  TELEGRAM_BOT_TOKEN: z
    .string({ error: 'is missing: ask @BotFather for one' })
    .regex(/^\d+:[A-Za-z0-9_-]+$/, 'must be a token from @BotFather, like 123456:ABC-DEF…'),
  TELEGRAM_API_ROOT: url('https://api.telegram.org').default('https://api.telegram.org'),
  /** Where the practice chat answers the bot. It counts only where there is no token of Telegram's. */
  PRACTICE_URL: url('http://practice:8081').optional(),
  ADMIN_USER_ID: administrators,
  DATA_DIR: dataDir,
  REDIS_URL: redisUrl.default('redis://127.0.0.1:6379'),
  INSTANCE: instance,
  HOST_ID: hostId,
  SSH_PORT_RANGE: portRange,
  SSH_PUBLIC_HOST: z
    .string()
    .regex(/^[A-Za-z0-9.:-]+$/, 'must be a host name or an address')
    .default('127.0.0.1'),
  EXEC_TIMEOUT: z
    .string()
    .default('60')
    .transform(Number)
    .pipe(z.number('must be a number of seconds').int('must be whole seconds').min(1).max(86_400)),
  LINK_SECRET: linkSecret,
  SECRET_KEY: z.string().min(32, 'must have at least 32 characters').optional(),
  HEARTBEAT_FILE: heartbeatFile,
  LOG_LEVEL: logLevel,
});
export type BotEnv = z.output<typeof botEnv>;
export type PortRange = BotEnv['SSH_PORT_RANGE'];

/** Throws one EnvError that lists every fault. */
export const parseBotEnv = (source: Record<string, string | undefined>): BotEnv => {
  const practising = Boolean(source.PRACTICE_URL) && !hasTelegramToken(source);
  return parseEnv(botEnv, practising ? withPractice(source, source.PRACTICE_URL!) : source);
};
