import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { removeEverythingOf } from '../../tests/support/docker.ts';
import { findFreePort } from '../../tests/support/redis.ts';
import { type ServiceProcess, startProcess } from '../../tests/support/service-process.ts';

/** Whatever moment the end comes at, nothing is left. */

const instance = `test-ending-${Math.random().toString(36).slice(2, 8)}`;
let dataDir: string;
let supervisor: ServiceProcess;

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), `${instance}-`));
});
afterEach(async () => {
  await supervisor.end('SIGKILL');
  await removeEverythingOf(instance);
  await rm(dataDir, { recursive: true, force: true });
});

const begin = async (env: NodeJS.ProcessEnv = {}): Promise<void> => {
  supervisor = startProcess('start', 'scripts/supervise/main.ts', {
    INSTANCE: instance,
    DATA_DIR: dataDir,
    PRACTICE_PORT: `${await findFreePort()}`,
    GATEWAY_PORT: `${await findFreePort()}`,
    SSH_PORT_RANGE: '61010-61019',
    WORKERS: '2',
    ...env,
  });
};

const childrenOf = async (pid: number): Promise<string[]> =>
  (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '')).split(' ').filter(Boolean);

/** Processes that have to do with the data folder, whoever their parent is; a zombie has neither of the two. */
const leftOver = async (): Promise<string[]> => {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const texts = await Promise.all(
    pids.map(async (pid) => {
      const read = (file: string) => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '');
      return { command: await read('cmdline'), environment: await read('environ') };
    }),
  );
  return texts
    .filter(({ command, environment }) => command.includes(dataDir) || environment.includes(dataDir))
    .map(({ command }) => command.replaceAll('\0', ' '));
};

const findChild = async (script: string): Promise<number> => {
  for (const pid of await childrenOf(supervisor.pid)) {
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (command.includes(script)) return Number(pid);
  }
  throw new Error(`no child runs ${script}`);
};
const untilChild = (script: string) => vi.waitFor(() => findChild(script), { timeout: 20_000, interval: 5 });
const logOf = (name: string) => readFile(join(dataDir, 'logs', `${name}.log`), 'utf8').catch(() => '');

describe('SIGTERM', () => {
  it.each(['redis-server', 'services/worker', 'services/bot'])(
    'as soon as %s runs leaves nothing',
    async (script) => {
      await begin();
      await untilChild(script);
      const begun = performance.now();
      expect(await supervisor.end('SIGTERM')).toBe(0);
      expect(await leftOver()).toEqual([]);
      expect(performance.now() - begun).toBeLessThan(20_000);
      expect(supervisor.output()).not.toContain('Berth is ready');
    },
  );

  it('starts nothing any more, whatever becomes ready meanwhile', async () => {
    await begin({ WORKERS: '1' });
    const practice = await untilChild('services/practice');
    process.kill(practice, 'SIGSTOP');
    await expect.poll(() => logOf('worker-1'), { timeout: 20_000 }).toContain('"msg":"ready"');
    const worker = await findChild('services/worker');
    process.kill(worker, 'SIGSTOP');
    supervisor.signal('SIGTERM');
    await expect.poll(() => supervisor.output()).toContain('Stopping Berth');
    process.kill(practice, 'SIGCONT');
    await expect.poll(() => logOf('practice'), { timeout: 20_000 }).toContain('"msg":"ready"');
    process.kill(worker, 'SIGCONT');
    expect(await supervisor.exited).toBe(0);
    expect(await logOf('bot')).toBe('');
    expect(await leftOver()).toEqual([]);
  });
});

describe('a start that does not succeed', () => {
  it('ends with the reason and leaves nothing, when a port is another program’s', async () => {
    const port = `${await findFreePort()}`;

    const other = createServer().listen(Number(port), '127.0.0.1');
    await begin({ GATEWAY_PORT: port });
    expect(await supervisor.exited).toBe(1);
    other.close();
    expect(supervisor.output()).toMatch(new RegExp(`gateway ended with status 1:[^]*EADDRINUSE[^]*${port}`));
    expect(await leftOver()).toEqual([]);
  });

  it('says that its folder cannot be used', async () => {
    await begin({ DATA_DIR: '/etc/hostname' });
    expect(await supervisor.exited).toBe(1);
    expect(supervisor.output()).toMatch(/^DATA_DIR=\/etc\/hostname cannot be used: /);
  });
});

describe('a terminal that goes away', () => {
  it('ends Berth in order', async () => {
    await begin();
    await vi.waitFor(() => expect(supervisor.output()).toContain('Berth is ready'), { timeout: 30_000 });
    expect(await supervisor.end('SIGHUP')).toBe(0);
    expect(await leftOver()).toEqual([]);
  });
});
