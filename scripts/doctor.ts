import { existsSync } from 'node:fs';
import Docker from 'dockerode';
import { z } from 'zod';
import { dataDir, parseEnv, port, redisUrl } from '../shared/env.ts';
import { envOrExit } from '../shared/lifecycle.ts';
import { type Finding, runCheck } from './doctor/check.ts';
import { checkDocker } from './doctor/docker.ts';
import { checkCapacity, checkDataDir, checkNode, checkPort } from './doctor/host.ts';
import { checkRedis, checkTelegram } from './doctor/services.ts';

/** Says what the host offers and what is missing: `npm run doctor [-- --json]`. Status 1 when something must be mended. */

const doctorEnv = z.object({
  DATA_DIR: dataDir,
  REDIS_URL: redisUrl.optional(),
  DOCKER_HOST: z.string().optional(),
  VM_IMAGE: z.string().default('berth-vm:latest'),
  VM_BASE_IMAGE: z.string().default('ubuntu:24.04'),
  VM_RUNTIME: z.string().default('runc'),
  GATEWAY_PORT: port.default(8080),
  GATEWAY_BIND_ADDRESS: z.string().default('127.0.0.1'),
  PRACTICE_PORT: port.default(8081),
  TELEGRAM_BOT_TOKEN: z.string().optional(),
  TELEGRAM_API_ROOT: z.string().default('https://api.telegram.org'),
});

if (existsSync('.env')) process.loadEnvFile('.env');
const env = envOrExit(() => parseEnv(doctorEnv, process.env));
if (env.DOCKER_HOST !== undefined) process.env.DOCKER_HOST = env.DOCKER_HOST;

const wishes = { runtime: env.VM_RUNTIME, image: env.VM_IMAGE, baseImage: env.VM_BASE_IMAGE };
const findings: Finding[] = (
  await Promise.all([
    runCheck('Node', checkNode),
    runCheck('capacity', checkCapacity),
    runCheck('data folder', () => checkDataDir(env.DATA_DIR)),
    runCheck('Docker engine', () => checkDocker(new Docker(), wishes)),
    runCheck('Redis', () => checkRedis(env.REDIS_URL)),
    runCheck('gateway', () =>
      checkPort('gateway', 'GATEWAY_PORT', { port: env.GATEWAY_PORT, host: env.GATEWAY_BIND_ADDRESS }),
    ),
    ...(env.TELEGRAM_BOT_TOKEN === undefined
      ? [
          runCheck('practice chat', () =>
            checkPort('practice chat', 'PRACTICE_PORT', { port: env.PRACTICE_PORT, host: '127.0.0.1' }),
          ),
        ]
      : []),
    runCheck('Telegram', () => checkTelegram(env.TELEGRAM_BOT_TOKEN, env.TELEGRAM_API_ROOT)),
  ])
).flat();

const marks = { ok: '✔', warning: '!', failure: '✘' };
const width = Math.max(...findings.map(({ name }) => name.length));

if (process.argv.includes('--json')) process.stdout.write(`${JSON.stringify(findings, null, 2)}\n`);
else {
  for (const { name, status, found, advice } of findings) {
    process.stdout.write(`${marks[status]} ${name.padEnd(width)}  ${found}\n`);
    if (advice !== undefined) process.stdout.write(`  ${' '.repeat(width)}  → ${advice}\n`);
  }
}
process.exitCode = findings.some(({ status }) => status === 'failure') ? 1 : 0;
