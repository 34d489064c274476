import { z } from 'zod';
import { dataDir, hostId, instance, linkSecret, logLevel, redisUrl } from '../../shared/env.ts';

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

/** The bot's variables; `TELEGRAM_API_ROOT` may point to a Bot API server of one's own. */
export const botEnv = z.object({
  TELEGRAM_BOT_TOKEN: z
    .string({ error: 'is missing: ask @BotFather for one' })
    .regex(/^\d+:[A-Za-z0-9_-]+$/, 'must be a token from @BotFather, like 123456:ABC-DEF…'),
  TELEGRAM_API_ROOT: z
    .url({ protocol: /^https?$/, error: 'must be a URL such as https://api.telegram.org' })
    .default('https://api.telegram.org')
    .transform((url) => url.replace(/\/+$/, '')),
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
  LOG_LEVEL: logLevel,
});
export type BotEnv = z.output<typeof botEnv>;
export type PortRange = BotEnv['SSH_PORT_RANGE'];
