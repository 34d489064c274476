import { z } from 'zod';
import { dataDir, logLevel, parseEnv, port } from '../../shared/env.ts';
import { practiceAdministrator, practiceToken } from '../../shared/practice.ts';

/**
 * The practice chat's variables. It has no passwords, so it listens on loopback and nowhere else. In a container of its
 * own, which only docker-compose.yml tells it by PRACTICE_URL, loopback is nobody's: there it listens on all addresses, and
 * the published port says who gets in.
 */

const isLoopback = (address: string): boolean => /^(?:127(?:\.\d{1,3}){3}|::1|localhost)$/.test(address);

const firstOfList = z
  .string()
  .regex(/^\d+(?:\s*,\s*\d+)*$/, 'must be a Telegram id, or several separated by commas')
  .default(practiceAdministrator)
  .transform((list) => Number(list.split(',')[0]));

const variables = z.object({
  PRACTICE_PORT: port.default(8081),
  PRACTICE_BIND_ADDRESS: z.string().default('127.0.0.1'),
  PRACTICE_TOKEN: z
    .string()
    .regex(/^\d{5,}:[\w-]{20,}$/, 'must look like a bot token: digits, a colon, at least 20 letters')
    .default(practiceToken),
  /** By which the bot reaches it where both run in containers of their own. */
  PRACTICE_URL: z
    .url({ protocol: /^https?$/, error: 'must be a URL such as http://practice:8081' })
    .optional(),
  DATA_DIR: dataDir,
  ADMIN_USER_ID: firstOfList,
  LOG_LEVEL: logLevel,
});

const schema = variables.check(
  z.superRefine(({ PRACTICE_BIND_ADDRESS: address, PRACTICE_URL: url }, context) => {
    if (isLoopback(address) || (address === '0.0.0.0' && url !== undefined)) return;
    const message = 'must be a loopback address such as 127.0.0.1';
    context.addIssue({ code: 'custom', path: ['PRACTICE_BIND_ADDRESS'], message });
  }),
);

export type PracticeEnv = z.output<typeof schema>;

/** Throws one EnvError that lists every fault. */
export const parsePracticeEnv = (source: Record<string, string | undefined>): PracticeEnv =>
  parseEnv(schema, source);
