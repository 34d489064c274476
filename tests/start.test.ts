import { mkdtemp, readdir, readFile, readlink, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { docker, findContainers, findVolumes, removeEverythingOf } from './support/docker.ts';
import { connectPractice, type PracticeClient } from './support/practice-client.ts';
import { findFreePort } from './support/redis.ts';
import { type ServiceProcess, startProcess } from './support/service-process.ts';
import { readAccess, ssh } from './support/ssh.ts';

/** What `./scripts/start` runs after the set-up: all processes of a Berth, kept running and ended in order. */

type Running = {
  supervisor: ServiceProcess;
  chat: PracticeClient;
  ports: { practice: number; gateway: number };
};

const administrator = 1001;
const secretKey = 'a-canary-secret-key-that-only-the-bot-may-know';

const settings = async (instance: string, dataDir: string) => {
  const ports = { practice: await findFreePort(), gateway: await findFreePort() };
  // Below the ports that the kernel gives to anybody.
  const first = 23_000 + Math.floor(Math.random() * 90) * 100;
  const env = {
    INSTANCE: instance,
    DATA_DIR: dataDir,
    PRACTICE_PORT: `${ports.practice}`,
    GATEWAY_PORT: `${ports.gateway}`,
    SSH_PORT_RANGE: `${first}-${first + 99}`,
    SECRET_KEY: secretKey,
    WORKERS: '2',
    VM_BASE_IMAGE: process.env.VM_BASE_IMAGE,
  };
  return { env, ports };
};

const untilSaid = (supervisor: ServiceProcess, text: string) =>
  vi.waitFor(() => expect(supervisor.output()).toContain(text), { timeout: 30_000, interval: 50 });

const start = async (instance: string, dataDir: string): Promise<Running> => {
  const { env, ports } = await settings(instance, dataDir);
  const supervisor = startProcess('start', 'scripts/supervise/main.ts', env);
  await untilSaid(supervisor, 'Berth is ready');
  return { supervisor, ports, chat: await connectPractice(`http://127.0.0.1:${ports.practice}`) };
};

const childrenOf = async (pid: number): Promise<number[]> => {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return text
    .trim()
    .split(/\s+/)
    .filter((word) => word !== '')
    .map(Number);
};

const argumentsOf = async (pid: number): Promise<string> =>
  (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).replaceAll('\0', ' ');

/** What lies in the files without a name that the process was started with. */
const handedTo = async (pid: number): Promise<string> => {
  const texts: string[] = [];
  for (const file of await readdir(`/proc/${pid}/fd`)) {
    const target = await readlink(`/proc/${pid}/fd/${file}`).catch(() => ''); // closed meanwhile
    if (target.includes('.handed-over-')) texts.push(await readFile(`/proc/${pid}/fd/${file}`, 'utf8'));
  }
  return texts.join('\n');
};

const findChild = async (supervisor: ServiceProcess, script: string): Promise<number> => {
  for (const pid of await childrenOf(supervisor.pid))
    if ((await argumentsOf(pid)).includes(script)) return pid;
  throw new Error(`no child runs ${script}`);
};

/** Whether it is more than a zombie, which the machine's init takes away when it comes to it. */
const isAlive = async (pid: number): Promise<boolean> => {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ') X');
  return !/\) [ZX]/.test(stat);
};
const alive = async (pids: number[]): Promise<number[]> => {
  const states = await Promise.all(pids.map(isAlive));
  return pids.filter((_, index) => states[index]);
};

describe('a Berth that was started', () => {
  const instance = `test-start-${Math.random().toString(36).slice(2, 8)}`;
  let dataDir: string;
  let running: Running;

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), `${instance}-`));
    running = await start(instance, dataDir);
  });
  afterAll(async () => {
    running?.chat.close();
    await running?.supervisor.end();
    await removeEverythingOf(instance);
    await rm(dataDir, { recursive: true, force: true });
  });

  it('says in one line where to go, and the gateway answers', async () => {
    expect(running.supervisor.output().trim()).toBe(
      `Berth is ready: open http://127.0.0.1:${running.ports.practice} and write /start`,
    );
    const health = await fetch(`http://127.0.0.1:${running.ports.gateway}/healthz`);
    expect(health.status).toBe(200);
  });

  it('gives a person a shell by chat', async () => {
    const person = running.chat.person(administrator);
    const created = await person.ask('/create box', ({ text }) => text.includes('is running'), {
      timeoutMs: 60_000,
    });
    expect(await ssh(readAccess(created), 'whoami')).toBe('dev');
  });

  it('keeps every secret out of environments and arguments, and what only the bot may know from all others', async () => {
    const { password } = JSON.parse(await readFile(join(dataDir, 'redis/berth.json'), 'utf8'));
    const pids = [running.supervisor.pid, ...(await childrenOf(running.supervisor.pid))];
    for (const pid of pids) expect(await argumentsOf(pid)).not.toContain(password);
    const linkSecret = (await readFile(join(dataDir, 'link.secret'), 'utf8')).trim();
    const secrets = [password, linkSecret, secretKey, '1000000:practice-chat-token'];
    const holders: Record<string, string[]> = {
      'services/bot': [password, secretKey, '1000000:practice-chat-token'],
      'services/worker': [password],
      'services/gateway': [password],
      'services/practice': ['1000000:practice-chat-token'],
      'redis-server': [],
    };
    for (const [script, held] of Object.entries(holders)) {
      const pid = await findChild(running.supervisor, script);
      const environment = await readFile(`/proc/${pid}/environ`, 'utf8');
      for (const secret of secrets) expect(environment, script).not.toContain(secret);
      const handed = await handedTo(pid);
      for (const secret of secrets) expect(handed.includes(secret), script).toBe(held.includes(secret));
    }
    expect((await readdir(dataDir)).filter((name) => name.startsWith('.handed-over'))).toEqual([]);
  });

  it('starts processes of its own again that were killed, and says so', async () => {
    process.kill(await findChild(running.supervisor, 'services/worker'), 'SIGKILL');
    process.kill(await findChild(running.supervisor, 'services/bot'), 'SIGKILL');
    await vi.waitFor(
      () => {
        expect(running.supervisor.output()).toMatch(/^bot ended \(SIGKILL\); it is started again in 1 s$/m);
        expect(running.supervisor.output()).toMatch(/^bot runs again$/m);
        expect(running.supervisor.output()).toMatch(/^worker-\d runs again$/m);
      },
      { timeout: 30_000 },
    );
    const person = running.chat.person(administrator);
    const answer = await person.ask('/exec echo back', ({ text }) => text.includes('Done'));
    expect(answer.text).toContain('back');
    expect((await person.ask('/status')).text).toMatch(/box.*running/s);
  });

  it('refuses a second start with the same folder, in words', async () => {
    const { env } = await settings(instance, dataDir);
    const second = startProcess('second', 'scripts/supervise/main.ts', env);
    expect(await second.exited).toBe(1);
    expect(second.output()).toContain('Berth runs already');
  });

  it('lives beside another one with an instance, a folder and ports of its own', async () => {
    const otherInstance = `${instance}-b`;
    const otherDir = await mkdtemp(join(tmpdir(), `${otherInstance}-`));
    const other = await start(otherInstance, otherDir);
    try {
      const created = await other.chat
        .person(administrator)
        .ask('/create box', ({ text }) => text.includes('is running'), { timeoutMs: 60_000 });
      expect(await ssh(readAccess(created), 'hostname')).toBe('box');
      expect(await findContainers(otherInstance)).toHaveLength(1);
      expect(await findContainers(instance)).toHaveLength(1);
    } finally {
      other.chat.close();
      await other.supervisor.end();
      await removeEverythingOf(otherInstance);
      await rm(otherDir, { recursive: true, force: true });
    }
  });

  it('ends within 20 s of SIGTERM, leaves no process and leaves the VM running', async () => {
    const children = await childrenOf(running.supervisor.pid);
    expect(children.length).toBeGreaterThanOrEqual(6);
    running.chat.close();
    const begun = performance.now();
    expect(await running.supervisor.end('SIGTERM')).toBe(0);
    expect(performance.now() - begun).toBeLessThan(20_000);
    expect(await alive(children)).toEqual([]);
    const [container] = await findContainers(instance);
    expect(container?.State).toBe('running');
  });

  it('finds its VMs again at the next start, within seconds', async () => {
    const begun = performance.now();
    running = await start(instance, dataDir);
    expect(performance.now() - begun).toBeLessThan(10_000);
    const status = await running.chat.person(administrator).ask('/status');
    expect(status.text).toContain('running');
    expect(await ssh(readAccess(status), 'whoami')).toBe('dev');
  });

  it('leaves no child behind when it is killed itself, and the VM running', async () => {
    const children = await childrenOf(running.supervisor.pid);
    running.chat.close();
    await running.supervisor.end('SIGKILL');
    await expect.poll(() => alive(children), { timeout: 20_000 }).toEqual([]);
    const [container] = await findContainers(instance);
    expect((await docker.getContainer(container!.Id).inspect()).State.Running).toBe(true);
  });

  it('starts also after that, and destroys the VM with its home when it is told to', async () => {
    running = await start(instance, dataDir);
    const person = running.chat.person(administrator);
    const question = await person.ask('/destroy box');
    await person.pressAndWait(question, '🗑 Yes, destroy box');
    await person.waitForMessage(({ text }) => text.includes('box is destroyed'), { timeoutMs: 30_000 });
    expect(await findContainers(instance)).toEqual([]);
    expect(await findVolumes(instance)).toEqual([]);
  });
});

describe('wrong settings', () => {
  const wrongOnes = {
    WORKERS: 'many',
    GATEWAY_PORT: '99999',
    SSH_BIND_ADDRESS: 'everywhere',
    PRACTICE_BIND_ADDRESS: '0.0.0.0',
    EXEC_TIMEOUT: '0',
    INSTANCE: 'Has Spaces',
  };

  it.each([[[]], [['--check']]])(
    'of all processes are listed at once, with status 1, before anything is started: %j',
    async (options: string[]) => {
      const folder = await mkdtemp(join(tmpdir(), 'berth-wrong-'));
      const { stderr, stdout, exitCode } = await execa(
        process.execPath,
        [join(import.meta.dirname, '../scripts/supervise/main.ts'), ...options],
        { cwd: folder, env: wrongOnes, reject: false },
      );
      expect(exitCode).toBe(1);
      expect(stdout).toBe('');
      const names = stderr
        .split('\n')
        .slice(1)
        .map((line) => line.trim().split(':')[0]);
      expect(names.sort()).toEqual(Object.keys(wrongOnes).sort());
      expect(await readdir(folder)).toEqual([]);
      await rm(folder, { recursive: true });
    },
  );
});
