import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findFreePort, startRedis, type TestRedis } from '../../tests/support/redis.ts';
import type { Finding } from './check.ts';

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

const examine = async (env: NodeJS.ProcessEnv) => {
  const { stdout, exitCode } = await execa(process.execPath, [script, '--json'], {
    cwd: dataDir,
    env: { DATA_DIR: dataDir, ...env },
    reject: false,
  });
  const findings = JSON.parse(stdout) as Finding[];
  return { exitCode, of: (name: string) => findings.find((finding) => finding.name === name) };
};

describe('the doctor', () => {
  it('finds a machine on which everything needed is there', async () => {
    const ports = { GATEWAY_PORT: `${await findFreePort()}`, PRACTICE_PORT: `${await findFreePort()}` };
    const { exitCode, of } = await examine(ports);
    expect(exitCode).toBe(0);
    for (const name of ['Node', 'Docker engine', 'VM runtime', 'data folder', 'redis-server', 'gateway']) {
      expect(of(name), name).toMatchObject({ status: 'ok' });
    }
    expect(of('disk limits')?.found).toMatch(/enforced/);
  });

  it('says of each thing that is wrong what to do, and ends with status 1', async () => {
    const other = createServer((_request, response) => response.writeHead(404).end());
    const taken = await findFreePort();
    await new Promise<void>((resolve) => other.listen(taken, '127.0.0.1', resolve));
    const nobody = `http://127.0.0.1:${await findFreePort()}`;
    const { exitCode, of } = await examine({
      DOCKER_HOST: 'unix:///nowhere.sock',
      REDIS_URL: redis.url.replace(/\d+$/, '1'),
      TELEGRAM_BOT_TOKEN: '1:x',
      TELEGRAM_API_ROOT: nobody,
      GATEWAY_PORT: `${taken}`,
    });
    other.close();
    expect(exitCode).toBe(1);
    for (const name of ['Docker engine', 'Redis', 'Telegram', 'gateway']) {
      expect(of(name), name).toMatchObject({ status: 'failure' });
      expect(of(name)?.advice).toMatch(/\w/);
    }
  });

  it('looks into a Redis that is named: its memory policy and its persistence', async () => {
    const { of } = await examine({ REDIS_URL: redis.url });
    expect(of('Redis memory policy')).toMatchObject({ status: 'ok', found: 'noeviction' });
    expect(of('Redis persistence')).toMatchObject({ status: 'warning' });
  });
});
