import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { removeEverythingOf } from '../../tests/support/docker.ts';
import { findFreePort } from '../../tests/support/redis.ts';
import { type ServiceProcess, startProcess } from '../../tests/support/service-process.ts';

/** Ctrl-C twice: for whoever does not want to wait. */

const instance = `test-force-${Math.random().toString(36).slice(2, 8)}`;
let dataDir: string;
let supervisor: ServiceProcess;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), `${instance}-`));
  supervisor = startProcess('start', 'scripts/supervise/main.ts', {
    INSTANCE: instance,
    DATA_DIR: dataDir,
    PRACTICE_PORT: `${await findFreePort()}`,
    GATEWAY_PORT: `${await findFreePort()}`,
    SSH_PORT_RANGE: '61000-61009',
    WORKERS: '1',
  });
  await vi.waitFor(() => expect(supervisor.output()).toContain('Berth is ready'), { timeout: 30_000 });
});
afterAll(async () => {
  await supervisor?.end('SIGKILL');
  await removeEverythingOf(instance);
  await rm(dataDir, { recursive: true, force: true });
});

const childrenOf = async (pid: number): Promise<number[]> =>
  (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).split(' ').filter(Boolean).map(Number);

/** Whether it is more than a zombie, which the machine's init takes away when it comes to it. */
const isAlive = async (pid: number): Promise<boolean> => {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ') Z');
  return !/\) [ZX]/.test(stat);
};

it('ends everything at once, even a process that does not move any more', async () => {
  const children = await childrenOf(supervisor.pid);
  expect(children.length).toBeGreaterThanOrEqual(5);
  for (const pid of children) process.kill(pid, 'SIGSTOP');
  supervisor.signal('SIGINT');
  await vi.waitFor(() => expect(supervisor.output()).toContain('Ctrl-C again'));
  const begun = performance.now();
  expect(await supervisor.end('SIGINT')).toBe(130);
  await expect.poll(async () => (await Promise.all(children.map(isAlive))).some(Boolean)).toBe(false);
  expect(performance.now() - begun).toBeLessThan(2_000);
});
