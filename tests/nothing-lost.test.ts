import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Berth, startBerth } from './support/berth.ts';
import { docker, findContainers } from './support/docker.ts';

/** What was accepted is done, once, whatever dies in between. */

let berth: Berth;

beforeEach(async () => {
  berth = await startBerth();
});
afterEach(() => berth?.stop());

const isRunning = ({ text }: { text: string }) => text.includes('box is running');

describe('an accepted /create', () => {
  it('survives the loss of everything in Redis, before a worker saw it and after', async () => {
    await berth.workers()[0]!.end();
    await berth.admin.ask('/create box');
    await berth.bot().waitForLine(({ msg }) => msg === 'job added');
    await berth.redis.wipe();
    await berth.startWorker();
    await berth.chat.waitForMessage(berth.admin.id, isRunning, { timeoutMs: 60_000 });
    await berth.redis.wipe();
    const stopped = await berth.admin.ask('/stop', ({ text }) => text.includes('is stopped'), {
      timeoutMs: 40_000,
    });
    expect(stopped.text).toContain('box');
    expect(await findContainers(berth.instance)).toHaveLength(1);
  });

  it('is finished by another worker when the first is killed in the middle', async () => {
    await berth.startWorker();
    const made = docker.getEvents({
      filters: { event: ['create'], label: [`berth.instance=${berth.instance}`] },
    });
    const events = await made;
    const first = new Promise((resolve) => events.once('data', resolve));
    await berth.admin.ask('/create box');
    await first;
    (events as unknown as { destroy(): void }).destroy();
    const busy = berth
      .workers()
      .find((worker) => worker.lines().some(({ operationId }) => operationId !== undefined))!;
    await busy.end('SIGKILL');
    await berth.chat.waitForMessage(berth.admin.id, isRunning, { timeoutMs: 45_000 });
    expect(await findContainers(berth.instance)).toHaveLength(1);
    expect(berth.admin.messages().filter(isRunning)).toHaveLength(1);
  });

  it('is told in the chat although the bot was killed meanwhile', async () => {
    await berth.admin.ask('/create box');
    await berth.bot().end('SIGKILL');
    await berth.startBot();
    await berth.chat.waitForMessage(berth.admin.id, isRunning, { timeoutMs: 60_000 });
    expect(berth.admin.messages().filter(isRunning)).toHaveLength(1);
    expect(await findContainers(berth.instance)).toHaveLength(1);
  });

  it('waits out a Redis that is away', async () => {
    await berth.redis.kill9();
    const accepted = await berth.admin.ask('/create box');
    expect(accepted.text).toContain('Creating box');
    await berth.redis.restart();
    await berth.chat.waitForMessage(berth.admin.id, isRunning, { timeoutMs: 60_000 });
  });

  it('is cancelled by /cancel and leaves nothing behind', async () => {
    await berth.admin.ask('/create box');
    await berth.admin.ask('/cancel', ({ text }) => text.includes('Cancelled') || text.includes('destroyed'));
    await berth.chat.waitForMessage(berth.admin.id, ({ text }) => text.includes('box is destroyed'), {
      timeoutMs: 30_000,
    });
    expect(await findContainers(berth.instance)).toEqual([]);
    expect((await berth.admin.ask('/status')).text).toContain('no VM yet');
  });

  it('gives way to a /destroy in the middle', async () => {
    await berth.admin.ask('/create box');
    const question = await berth.admin.ask('/destroy');
    await berth.admin.pressAndWait(question, 0);
    await berth.chat.waitForMessage(berth.admin.id, ({ text }) => text.includes('box is destroyed'), {
      timeoutMs: 30_000,
    });
    expect(await findContainers(berth.instance)).toEqual([]);
    expect(berth.admin.messages().filter(isRunning)).toEqual([]);
  });
});

describe('a command of /exec', () => {
  it('does not run twice when its worker dies, and the person is told that its outcome is unknown', async () => {
    await berth.admin.ask('/create box', isRunning, { timeoutMs: 60_000 });
    await berth.admin.ask('/exec echo ran >> count; sleep 8', ({ text }) => text.includes('Running'));
    await berth.workers()[0]!.end('SIGKILL');
    await berth.startWorker();
    const told = await berth.chat.waitForMessage(berth.admin.id, ({ text }) => text.includes('❌'), {
      timeoutMs: 45_000,
    });
    expect(told.text).toContain('unknown');
    const count = await berth.admin.ask('/exec wc -l < count', ({ text }) => text.includes('Done'));
    expect(count.text).toMatch(/\n1\n/);
  });
});

describe('trouble with Telegram', () => {
  it('delays answers and loses none', async () => {
    const silent = await berth.chat.fault({ kind: 'server-error', method: 'sendMessage', times: 2 } as never);
    const answer = await berth.admin.ask('/plans', undefined, { timeoutMs: 30_000 });
    expect(answer.text).toContain('Basic');
    await silent.clear();
  });
});

describe('two of a kind', () => {
  it('a second bot on the same database ends with a clear message and harms nothing', async () => {
    const { startProcess } = await import('./support/service-process.ts');
    const second = startProcess('second bot', 'services/bot/main.ts', {
      DATA_DIR: berth.dataDir,
      REDIS_URL: berth.redis.url,
      INSTANCE: berth.instance,
      TELEGRAM_BOT_TOKEN: '7000001:a-token-that-only-this-test-knows-000',
      TELEGRAM_API_ROOT: berth.chat.url,
      ADMIN_USER_ID: '4001',
    });
    expect(await second.exited).toBe(1);
    expect(second.output()).toMatch(/database/i);
    expect((await berth.admin.ask('/plans')).text).toContain('Basic');
  });
});

describe('wrong configuration', () => {
  it('is listed whole, with status 1', async () => {
    const { startProcess } = await import('./support/service-process.ts');
    const bot = startProcess('bot', 'services/bot/main.ts', {
      TELEGRAM_BOT_TOKEN: 'nonsense',
      ADMIN_USER_ID: 'me',
      SSH_PORT_RANGE: '9-1',
      LOG_LEVEL: 'loud',
      EXEC_TIMEOUT: 'soon',
      INSTANCE: 'Not Good',
    });
    expect(await bot.exited).toBe(1);
    for (const name of [
      'TELEGRAM_BOT_TOKEN',
      'ADMIN_USER_ID',
      'SSH_PORT_RANGE',
      'LOG_LEVEL',
      'EXEC_TIMEOUT',
      'INSTANCE',
    ]) {
      expect(bot.output()).toContain(`${name}: `);
    }
  });
});
