import { z } from 'zod';
import { dataDir, logLevel, parseEnv, port } from '../../shared/env.ts';

/** The practice chat's variables. It has no passwords, so it listens on loopback and nowhere else. */

const loopback = z
  .string()
  .regex(/^(?:127(?:\.\d{1,3}){3}|::1|localhost)$/, 'must be a loopback address such as 127.0.0.1')
  .default('127.0.0.1');

const firstOfList = z
  .string()
  .regex(/^\d+(?:\s*,\s*\d+)*$/, 'must be a Telegram id, or several separated by commas')
  .default('1001')
  .transform((list) => Number(list.split(',')[0]));

const schema = z.object({
  PRACTICE_PORT: port.default(8081),
  PRACTICE_BIND_ADDRESS: loopback,
  PRACTICE_TOKEN: z
    .string()
    .regex(/^\d{5,}:[\w-]{20,}$/, 'must look like a bot token: digits, a colon, at least 20 letters')
    .default('1000000:practice-chat-token-for-this-machine-only'),
  DATA_DIR: dataDir,
  ADMIN_USER_ID: firstOfList,
  LOG_LEVEL: logLevel,
});

export type PracticeEnv = z.output<typeof schema>;

/** Throws one EnvError that lists every fault. */
export const parsePracticeEnv = (source: Record<string, string | undefined>): PracticeEnv =>
  parseEnv(schema, source);
