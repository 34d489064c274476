import { existsSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { createEngine } from '../services/worker/docker/engine.ts';
import { checkCapacity } from './doctor/capacity.ts';
import { type Check, runCheck } from './doctor/check.ts';
import { checkClock } from './doctor/clock.ts';
import { checkDataDir } from './doctor/data-dir.ts';
import { checkDiskLimits } from './doctor/disk-limits.ts';
import { checkGpu, checkRoom, checkRuntime, checkVersion, readEngine } from './doctor/engine.ts';
import { checkFirewall } from './doctor/firewall.ts';
import { checkImages } from './doctor/images.ts';
import { checkNode } from './doctor/node.ts';
import { checkPort } from './doctor/ports.ts';
import { checkRedis } from './doctor/redis.ts';
import { asText, reportOf } from './doctor/report.ts';
import { checkSettings } from './doctor/settings.ts';
import { checkSshPorts } from './doctor/ssh-ports.ts';
import { checkTelegram } from './doctor/telegram.ts';
import { checkTunnel } from './doctor/tunnel.ts';

/** Says what the host offers and what is missing: `npm run doctor [-- --json]`. Status 1 when something must be mended. */

if (existsSync('.env')) process.loadEnvFile('.env');
const { settings, findings: settingsFindings } = checkSettings({ ...process.env });
const { supervisor, bot, worker, gateway, practice } = settings;

const engine = createEngine(worker.DOCKER_HOST);
const { info, finding: engineFinding } = await readEngine(engine, worker.DOCKER_HOST);
const ports = [gateway.GATEWAY_PORT, ...(practice === null ? [] : [practice.PRACTICE_PORT])];
const host =
  info === null
    ? { cpus: cpus().length, memoryBytes: totalmem() }
    : { cpus: info.NCPU, memoryBytes: info.MemTotal };

const ofEngine: [string, Check][] =
  info === null
    ? [['Docker engine', async () => engineFinding]]
    : [
        ['Docker engine', () => checkVersion(info)],
        ['room for VMs', async () => (await checkRoom(info)) ?? []],
        ['disk limits', () => checkDiskLimits(engine, info.Driver, worker.VM_IMAGE)],
        [
          'firewall',
          () =>
            checkFirewall(
              engine,
              { instance: worker.INSTANCE, image: worker.VM_IMAGE, mayReach: worker.VM_MAY_REACH },
              (info.SecurityOptions ?? []).some((option) => option.split(',')[0] === 'name=rootless'),
            ),
        ],
        ['VM runtime', () => checkRuntime(info, worker.VM_RUNTIME)],
        ['GPU', () => checkGpu(info)],
        ['VM image', () => checkImages(engine, { image: worker.VM_IMAGE, baseImage: worker.VM_BASE_IMAGE })],
        [
          'SSH ports',
          () =>
            checkSshPorts(engine, {
              range: bot.SSH_PORT_RANGE,
              instance: worker.INSTANCE,
              bindAddress: worker.SSH_BIND_ADDRESS,
              others: ports,
            }),
        ],
      ];

const checks: [string, Check][] = [
  ['Node', checkNode],
  ['capacity', () => checkCapacity(host)],
  ['clock', () => checkClock(supervisor.DATA_DIR, info?.SystemTime ?? null)],
  ['data folder', () => checkDataDir(supervisor.DATA_DIR)],
  ...ofEngine,
  ['Redis', () => checkRedis(supervisor.REDIS_URL)],
  [
    'gateway',
    () =>
      checkPort('gateway', 'GATEWAY_PORT', {
        port: gateway.GATEWAY_PORT,
        host: gateway.GATEWAY_BIND_ADDRESS,
      }),
  ],
  [
    'practice chat',
    async () =>
      practice === null
        ? []
        : checkPort('practice chat', 'PRACTICE_PORT', {
            port: practice.PRACTICE_PORT,
            host: practice.PRACTICE_BIND_ADDRESS,
          }),
  ],
  ['tunnel', () => checkTunnel(gateway)],
  ['Telegram', () => checkTelegram(practice === null ? bot.TELEGRAM_BOT_TOKEN : null, bot.TELEGRAM_API_ROOT)],
];
const found = await Promise.all(checks.map(([name, check]) => runCheck(name, check)));
const report = reportOf([...settingsFindings, ...found.flat()]);
process.stdout.write(
  process.argv.includes('--json') ? `${JSON.stringify(report, null, 2)}\n` : asText(report),
);
process.exitCode = report.status === 'failure' ? 1 : 0;
