import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Berth, startBerth } from './support/berth.ts';
import { findContainers } from './support/docker.ts';
import type { ChatMessage, Participant } from './support/practice-client.ts';
import { startRedis } from './support/redis.ts';
import { readAccess, ssh } from './support/ssh.ts';

/**
 * A backup in the middle of work; then life goes on, and the host is lost: restored into an empty folder, with another
 * Redis, the chat goes on. The steps build on each other.
 */

let berth: Berth;
let person: Participant;
let folder: string;
let redis: Awaited<ReturnType<typeof startRedis>>;
const long = { timeoutMs: 60_000 };

const says =
  (...parts: string[]) =>
  ({ text, fromBot }: ChatMessage) =>
    fromBot && parts.every((part) => text.includes(part));

const run = async (script: string, args: string[], dataDir: string, env: NodeJS.ProcessEnv = {}) => {
  const { stdout, stderr, exitCode } = await execa('node', [`scripts/${script}.ts`, ...args], {
    env: { DATA_DIR: dataDir, INSTANCE: berth.instance, LOG_LEVEL: 'warn', ...env },
    reject: false,
  });
  return { output: `${stdout}\n${stderr}`, exitCode };
};
const backup = () => join(folder, 'berth.tar');
const restored = () => join(folder, 'data');

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'berth-backup-'));
  redis = await startRedis();
  berth = await startBerth();
  await berth.admin.ask('/start');
  await berth.admin.ask('/config_plan 1 max_vms 4', says('4 VMs'));
  person = await berth.newUser('Pia');
  await person.ask('/create box', says('box is running'), long);
  await person.ask('/create gone', says('gone is running'), long);
});
afterAll(async () => {
  await berth?.stop();
  await redis?.stop();
  await rm(folder, { recursive: true, force: true });
});

describe('a backup', () => {
  it('is made while a command runs and a creation has just been accepted', async () => {
    await person.ask('/exec box: echo ran >> count; sleep 4', says('Running'));
    berth.workers()[0]!.signal('SIGSTOP');
    await person.ask('/create late', says('Creating late'));
    const { output, exitCode } = await run('backup', ['--to', backup()], berth.dataDir);
    berth.workers()[0]!.signal('SIGCONT');
    expect(output).toContain('IT HOLDS THE KEY');
    expect(exitCode).toBe(0);
  });

  it('is refused to the place of a running bot', async () => {
    const { output, exitCode } = await run('restore', [backup(), '--force'], berth.dataDir);
    expect(output).toContain('stop Berth first');
    expect(exitCode).toBe(1);
  });

  it('knows nothing of what happened afterwards', async () => {
    await person.waitForMessage(says('late is running'), long);
    await person.waitForMessage(says('Done'), long);
    await person.ask('/password box', says('box has a new password'));
    const question = await person.ask('/destroy gone');
    await person.pressAndWait(question, 0);
    await person.waitForMessage(says('gone is destroyed'), long);
    await Promise.all([berth.bot(), ...berth.workers()].map((service) => service.end()));
  });
});

describe('restored on an empty machine', () => {
  let began: number;

  it('is in place, and says what was unfinished', async () => {
    const { output, exitCode } = await run('restore', [backup()], restored(), { REDIS_URL: redis.url });
    expect(output).toMatch(
      /3 VMs\.\nUnfinished .*: 1 operations go on; of 1 commands the outcome is unknown/,
    );
    expect(exitCode).toBe(0);
    began = Date.now();
    await berth.startBot({ DATA_DIR: restored(), REDIS_URL: redis.url });
    await berth.startWorker({ REDIS_URL: redis.url });
  });

  it('a VM removed meanwhile is told as lost, at once', async () => {
    await person.waitForMessage(says('gone', 'vanished'), long);
    expect(Date.now() - began).toBeLessThan(30_000);
  });

  it('a command that ran then does not run again, and its outcome is told as unknown', async () => {
    const told = await person.waitForMessage(says('unknown'), long);
    expect(told.text).toContain('was not run a second time');
    const count = await person.ask('/exec box: wc -l < count', says('Done'), long);
    expect(count.text).toMatch(/\n1\n/);
  });

  it('VMs are usable with the password that the chat shows, though it was changed after the backup', async () => {
    const shown = readAccess(await person.ask('/status box'));
    await expect.poll(() => ssh(shown, 'whoami').catch(String), { timeout: 30_000 }).toBe('dev');
  });

  it('a creation that was open then ends in the one VM that it had come to', async () => {
    await expect
      .poll(async () => (await person.ask('/status late')).text, { timeout: 60_000 })
      .toContain('running');
    const shown = readAccess(await person.ask('/status late'));
    await expect.poll(() => ssh(shown, 'whoami').catch(String), { timeout: 30_000 }).toBe('dev');
    expect(await findContainers(berth.instance)).toHaveLength(2);
  });

  it('the chat goes on', async () => {
    await person.ask('/restart box', says('box is running again'), long);
    const { password } = readAccess(await person.ask('/password box', says('box has a new password'), long));
    const shown = readAccess(await person.ask('/status box'));
    expect(shown.password).toBe(password);
    expect(await ssh(shown, 'whoami')).toBe('dev');
  });

  it('the projections equal a replay', async () => {
    const { output, exitCode } = await run('replay', [], restored());
    expect(output).toContain('equal: compared only');
    expect(exitCode).toBe(0);
  });
});
