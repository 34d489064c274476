import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { startFakeEngine } from '../services/worker/testing/fake-engine.ts';
import { type Berth, startBerth } from './support/berth.ts';
import { startProcess } from './support/service-process.ts';

/** Started twice by mistake, or set up alike: the second ends with words for a person, and the first works on. */

let berth: Berth;

beforeAll(async () => {
  berth = await startBerth();
}, 180_000);
afterAll(() => berth?.stop());

const startSecondBot = (env: NodeJS.ProcessEnv) => {
  const second = startProcess('second bot', 'services/bot/main.ts', {
    DATA_DIR: berth.dataDir,
    REDIS_URL: berth.redis.url,
    INSTANCE: berth.instance,
    TELEGRAM_BOT_TOKEN: '7000001:a-token-that-only-this-test-knows-000',
    TELEGRAM_API_ROOT: berth.chat.url,
    ADMIN_USER_ID: '4001',
    ...env,
  });
  onTestFinished(async () => {
    await second.end('SIGKILL');
  });
  return second;
};
const newDataDir = async (): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'berth-second-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
};
const worksOn = async () => expect((await berth.admin.ask('/plans')).text).toContain('Basic');

describe('a second bot', () => {
  it('on the same database ends also while the first one is stopped in its tracks', {
    timeout: 120_000,
  }, async () => {
    berth.bot().signal('SIGSTOP');
    const second = startSecondBot({});
    const status = await second.exited;
    berth.bot().signal('SIGCONT');
    expect(status).toBe(1);
    expect(second.output()).toMatch(/another Berth writes the database/);
    await worksOn();
  });

  it('with another database on the same Redis and INSTANCE ends before it takes anything of the first', {
    timeout: 120_000,
  }, async () => {
    const second = startSecondBot({ DATA_DIR: await newDataDir() });
    expect(await second.exited).toBe(1);
    expect(second.output()).toMatch(/A bot with another database uses this Redis as INSTANCE=/);
    await worksOn();
  });

  it('on the same database takes over at once when the first one was killed', {
    timeout: 120_000,
  }, async () => {
    await berth.bot().end('SIGKILL');
    await berth.startBot();
    await worksOn();
  });
});

describe('a second worker', () => {
  it('of the same HOST_ID on another engine ends before it takes a job', { timeout: 120_000 }, async () => {
    const engine = await startFakeEngine((request) => ({
      body: request === 'GET /info' ? { ID: 'another-engine', NCPU: 1 } : {},
    }));
    onTestFinished(() => engine.close());
    const second = startProcess('second worker', 'services/worker/main.ts', {
      REDIS_URL: berth.redis.url,
      INSTANCE: berth.instance,
      DOCKER_HOST: engine.address,
    });
    onTestFinished(async () => {
      await second.end('SIGKILL');
    });
    expect(await second.exited).toBe(1);
    expect(second.output()).toMatch(/Workers with HOST_ID=local serve another Docker engine/);
    const made = await berth.admin.ask('/create box', ({ text }) => text.includes('box is running'), {
      timeoutMs: 60_000,
    });
    expect(made.text).toContain('ssh -p');
  });
});
