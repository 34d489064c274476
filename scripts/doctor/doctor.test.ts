import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { docker } from '../../tests/support/docker.ts';
import { findFreePort, startRedis, type TestRedis } from '../../tests/support/redis.ts';
import { startService } from '../../tests/support/service-process.ts';
import type { Report } from './report.ts';

const script = join(import.meta.dirname, '../doctor.ts');
let dataDir: string;
let redis: TestRedis;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'berth-doctor-'));
  redis = await startRedis();
});
afterAll(async () => {
  await redis.stop();
  await rm(dataDir, { recursive: true, force: true });
});

const examine = async (env: NodeJS.ProcessEnv, cwd = dataDir) => {
  const { stdout, exitCode } = await execa(process.execPath, [script, '--json'], {
    cwd,
    env: { DATA_DIR: dataDir, ...env },
    reject: false,
  });
  const report = JSON.parse(stdout) as Report;
  const { findings } = report;
  const of = (name: string) => findings.find((finding) => finding.name === name);
  return { exitCode, report, all: findings, of };
};

const freePorts = async () => ({
  GATEWAY_PORT: `${await findFreePort()}`,
  PRACTICE_PORT: `${await findFreePort()}`,
});

describe('the doctor', () => {
  it('finds a machine on which everything needed is there', async () => {
    const { exitCode, of } = await examine(await freePorts());
    expect(exitCode).toBe(0);
    const needed = [
      'settings',
      'Node',
      'clock',
      'data folder',
      'Docker engine',
      'VM runtime',
      'VM image',
      'base image',
      'Redis',
      'gateway',
      'practice chat',
      'Telegram',
    ];
    for (const name of needed) expect(of(name), name).toMatchObject({ status: 'ok' });
    expect(of('disk limits')?.found).toMatch(/quotas/);
    expect(of('SSH ports')?.found).toMatch(/^22000-22999: \d+ of ours, \d+ free/);
  });

  it('says of each thing that is wrong what to do, and ends with status 1', async () => {
    const other = createServer((_request, response) => response.writeHead(404).end());
    const taken = await findFreePort();
    await new Promise<void>((resolve) => other.listen(taken, '127.0.0.1', resolve));
    const nobody = `http://127.0.0.1:${await findFreePort()}`;
    const { exitCode, of } = await examine({
      DOCKER_HOST: 'unix:///nowhere.sock',
      REDIS_URL: redis.url.replace(/\d+$/, '1'),
      ADMIN_USER_ID: '1',
      TELEGRAM_BOT_TOKEN: '1:x',
      TELEGRAM_API_ROOT: nobody,
      GATEWAY_PORT: `${taken}`,
      DATA_DIR: '/etc/hostname',
    });
    other.close();
    expect(exitCode).toBe(1);
    for (const name of ['Docker engine', 'Redis', 'Telegram', 'gateway', 'data folder']) {
      expect(of(name), name).toMatchObject({ status: 'failure' });
      expect(of(name)?.advice).toMatch(/\w/);
    }
    expect(of('Redis')?.found).toContain('ECONNREFUSED');
  });

  it('lists the faults in the settings of all processes, and looks at the rest all the same', async () => {
    const { exitCode, all, of } = await examine({
      ...(await freePorts()),
      WORKERS: 'many',
      SSH_PORT_RANGE: '9-1',
      SSH_BIND_ADDRESS: 'x',
      TELEGRAM_BOT_TOKEN: '1:x',
      ADMIN_USER_ID: '',
      TELEGRAM_API_ROOT: `http://127.0.0.1:${await findFreePort()}`,
    });
    expect(exitCode).toBe(1);
    const faults = all.filter(({ name, status }) => name === 'settings' && status === 'failure');
    const names = faults.map(({ found }) => found.split(':')[0]);
    expect(names.sort()).toEqual(['ADMIN_USER_ID', 'SSH_BIND_ADDRESS', 'SSH_PORT_RANGE', 'WORKERS']);
    expect(of('Docker engine')).toMatchObject({ status: 'ok' });
  });

  it('tells programs the worst of all, and of each thing the same four values', async () => {
    const healthy = await examine(await freePorts());
    expect(['ok', 'warning']).toContain(healthy.report.status);
    expect(healthy.exitCode).toBe(0);
    const { report, exitCode } = await examine({ ...(await freePorts()), VM_RUNTIME: 'not-installed' });
    expect({ status: report.status, exitCode }).toEqual({ status: 'failure', exitCode: 1 });
    expect(Object.keys(report)).toEqual(['status', 'findings']);
    for (const finding of report.findings) {
      expect(Object.keys(finding)).toEqual(['name', 'status', 'found', 'advice']);
      expect(['ok', 'warning', 'failure']).toContain(finding.status);
      expect(finding.advice === null, finding.name).toBe(finding.status === 'ok');
    }
  });

  it('says in words that a folder of the kernel is none to keep anything in', async () => {
    const { all } = await examine({ ...(await freePorts()), DATA_DIR: '/proc/berth/data' });
    expect(all).toContainEqual(
      expect.objectContaining({ status: 'failure', found: 'DATA_DIR: must be a folder on a disk' }),
    );
  });

  it('reads .env, as the start does', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'berth-doctor-env-'));
    await writeFile(join(folder, '.env'), 'VM_RUNTIME=not-installed\n');
    const { of } = await examine(await freePorts(), folder);
    await rm(folder, { recursive: true });
    expect(of('VM runtime')).toMatchObject({ status: 'failure' });
  });

  it('prints one line for each, with a mark, what was found and what to do', async () => {
    const { stdout } = await execa(process.execPath, [script], {
      cwd: dataDir,
      env: { DATA_DIR: dataDir, VM_RUNTIME: 'not-installed', ...(await freePorts()) },
      reject: false,
    });
    for (const line of stdout.split('\n')) expect(line).toMatch(/^[✔!✘] \w/);
    expect(stdout).toMatch(
      /^✘ VM runtime +Docker does not know not-installed → Install it, or set VM_RUNTIME/m,
    );
  });

  it('leaves nothing on the machine', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'berth-doctor-clean-'));
    const { of } = await examine({ ...(await freePorts()), DATA_DIR: join(folder, 'a/b') }, folder);
    expect(of('data folder')?.found).toContain('made at the start');
    expect(await readdir(folder)).toEqual([]);
    await rm(folder, { recursive: true });
    const containers = await docker.listContainers({ all: true, filters: { name: ['berth-doctor'] } });
    expect(containers).toEqual([]);
  });

  it('knows a Berth that runs by what answers on its ports', async () => {
    const port = `${await findFreePort()}`;
    const gateway = await startService('gateway', 'services/gateway/main.ts', { GATEWAY_PORT: port });
    const { of } = await examine({ ...(await freePorts()), GATEWAY_PORT: port });
    await gateway.end();
    expect(of('gateway')).toMatchObject({ status: 'ok', found: `port ${port}, Berth is running` });
  });

  it('looks into a Redis that is named: its version, its memory policy and its persistence', async () => {
    const { of } = await examine({ ...(await freePorts()), REDIS_URL: redis.url });
    expect(of('Redis')).toMatchObject({ status: 'ok' });
    expect(of('Redis memory policy')).toMatchObject({ status: 'ok', found: 'noeviction' });
    expect(of('Redis persistence')).toMatchObject({ status: 'warning' });
  });
});
