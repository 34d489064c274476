import { z } from 'zod';
import { count, dataDir, instance, logLevel, port, redisUrl } from '../../shared/env.ts';

/** What the supervisor itself needs to know; every process reads its own variables. */
export const supervisorEnv = z.object({
  WORKERS: count(64).default(2),
  DATA_DIR: dataDir,
  INSTANCE: instance,
  REDIS_URL: redisUrl.optional(),
  TELEGRAM_BOT_TOKEN: z.string().optional(),
  ADMIN_USER_ID: z.string().optional(),
  PRACTICE_PORT: port.default(8081),
  GATEWAY_PORT: port.default(8080),
  LOG_LEVEL: logLevel,
});

export type SupervisorEnv = z.output<typeof supervisorEnv>;
