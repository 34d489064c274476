import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createLifecycle, DeadlineError, withDeadline } from './lifecycle.ts';
import { createLog } from './log.ts';

const newLifecycle = () => createLifecycle(createLog('test', 'silent'), () => {});
const never = () => new Promise<never>(() => {});

describe('withDeadline', () => {
  it('settles as the work does', async () => {
    expect(await withDeadline(Promise.resolve(1), 1_000, 'counting')).toBe(1);
    expect(await withDeadline(2, 1_000, 'counting')).toBe(2);
    await expect(withDeadline(Promise.reject(new Error('no')), 1_000, 'counting')).rejects.toThrow('no');
  });

  it('rejects with what did not end, and leaves no timer behind', async () => {
    const late = withDeadline(never(), 5, 'counting');
    await expect(late).rejects.toThrow(DeadlineError);
    await expect(late).rejects.toThrow('counting did not end within 5 ms');
    await withDeadline(1, 60_000, 'counting');
    expect(process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length).toBeLessThan(3);
  });
});

describe('a shutdown', () => {
  it('gives resources back in the reverse order, one after another', async () => {
    const lifecycle = newLifecycle();
    const closed: string[] = [];
    lifecycle.onShutdown('store', () => closed.push('store'));
    lifecycle.onShutdown('queue', async () => {
      await new Promise(setImmediate);
      closed.push('queue');
    });
    lifecycle.onShutdown('poller', () => closed.push('poller'));
    await lifecycle.shutdown();
    expect(closed).toEqual(['poller', 'queue', 'store']);
  });

  it('happens once, however often it is asked for', async () => {
    const lifecycle = newLifecycle();
    let times = 0;
    lifecycle.onShutdown('store', () => {
      times += 1;
    });
    const first = lifecycle.shutdown();
    expect(lifecycle.shutdown()).toBe(first);
    await first;
    await lifecycle.shutdown();
    expect(times).toBe(1);
  });

  it('goes on when something fails to close or hangs', async () => {
    const lifecycle = newLifecycle();
    let closed = false;
    lifecycle.onShutdown('store', () => {
      closed = true;
    });
    lifecycle.onShutdown('broken', () => {
      throw new Error('no');
    });
    lifecycle.onShutdown('hanging', never, 5);
    await lifecycle.shutdown();
    expect(closed).toBe(true);
  });

  it('aborts the signal before anything is closed', async () => {
    const lifecycle = newLifecycle();
    let aborted = false;
    lifecycle.onShutdown('poller', () => {
      aborted = lifecycle.signal.aborted;
    });
    expect(lifecycle.signal.aborted).toBe(false);
    await lifecycle.shutdown();
    expect(aborted).toBe(true);
  });
});

/** A real process; `body` is the inside of its composition root. */
const start = (body: string) => {
  const [lifecycle, log] = ['lifecycle', 'log'].map((name) => new URL(`${name}.ts`, import.meta.url).href);
  const program = `import { runService } from '${lifecycle}'; import { createLog } from '${log}';
    await runService(createLog('test', 'trace'), async (lifecycle) => { setInterval(() => {}, 1000); ${body} });`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let printed = '';
  const { promise: ready, resolve: isReady } = Promise.withResolvers<void>();
  child.stdout!.on('data', (data) => {
    printed += data;
    if (printed.includes('"msg":"ready"')) isReady();
  });
  const exit = Promise.all([once(child, 'exit'), once(child.stdout!, 'end')]).then(([[status]]) => ({
    status,
    printed,
  }));
  return { child, ready, exit };
};
const closing = `lifecycle.onShutdown('store', () => console.log('store closed'));`;

describe('a service', () => {
  it.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('ends in order at %s, with status 0', async (signal) => {
    const { child, ready, exit } = start(closing);
    await ready;
    child.kill(signal);
    child.kill(signal);
    const { status, printed } = await exit;
    expect(printed.match(/store closed/g)).toHaveLength(1);
    expect(status).toBe(0);
  });

  it('ends when its supervisor is gone', async () => {
    const { child, ready, exit } = start(closing);
    await ready;
    child.disconnect();
    expect(await exit).toMatchObject({ status: 0, printed: expect.stringContaining('store closed') });
  });

  it.each([
    ['throws while it starts', `throw new Error('no port');`],
    ['has an error that nobody catches', `setImmediate(() => { throw new Error('no port') });`],
    ['has a rejection that nobody catches', `setImmediate(() => Promise.reject(new Error('no port')));`],
    ['sees no sense in going on', `lifecycle.fail(new Error('no port'));`],
  ])('that %s closes what it has and ends with status 1', async (_what, fault) => {
    const { exit } = start(`${closing} ${fault}`);
    const { status, printed } = await exit;
    expect(printed).toContain('store closed');
    expect(printed).toContain('no port');
    expect(status).toBe(1);
  });
});
