import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { highWater } from '../shared/terminal/protocol.ts';
import { openTerminalTab, startBrowser } from './support/browser.ts';
import { docker } from './support/docker.ts';
import { startWithGateway, type Vm, type WithGateway } from './support/gateway.ts';
import { openShell } from './support/terminal-socket.ts';

/** Output of any speed: nobody's memory grows, and the page goes on answering. */

let all: WithGateway;
let browser: Browser;
let vm: Vm;

beforeAll(async () => {
  [all, browser] = await Promise.all([startWithGateway(), startBrowser()]);
  vm = await all.newVm('Vera', 'atlas');
});
afterAll(async () => {
  await browser?.close();
  await all?.stop();
});

const megabyte = 1024 * 1024;
const memoryOf = async (pid: number): Promise<number> => {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)![1]) * 1024;
};
/** How much gateway and worker grow, in megabytes, at the most, until the work is done. */
const growthDuring = async (work: Promise<unknown>): Promise<number[]> => {
  const pids = [all.gateway().pid, all.berth.workers()[0]!.pid];
  const before = await Promise.all(pids.map(memoryOf));
  const most = [...before];
  let done = false;
  const ended = work.finally(() => {
    done = true;
  });
  while (!done) {
    const now = await Promise.all(pids.map(memoryOf));
    now.forEach((bytes, index) => {
      most[index] = Math.max(most[index]!, bytes);
    });
    await Promise.race([ended, sleep(50)]);
  }
  await ended;
  return most.map((bytes, index) => Math.round((bytes - before[index]!) / megabyte));
};
const bounded = 60;

describe('a million lines', () => {
  it('leave the page answering, and the memory of gateway and worker as it was', async () => {
    const tab = await openTerminalTab(browser, await all.newLink(vm));
    const slowest: number[] = [];
    const show = async () => {
      await tab.type('seq 1000000; echo all-$((40+2))\n');
      const seen = tab.sees(/^all-42$/m, 90_000);
      let done = false;
      const ended = seen.finally(() => {
        done = true;
      });
      while (!done) {
        const begun = performance.now();
        await tab.page.evaluate('new Promise(requestAnimationFrame)');
        slowest.push(performance.now() - begun);
      }
      await ended;
    };
    const begun = performance.now();
    const growth = await growthDuring(show());
    console.info(
      `a million lines: ${Math.round(performance.now() - begun)} ms, slowest frame ${Math.round(Math.max(...slowest))} ms, growth (gateway, worker) ${growth} MB`,
    );
    for (const megabytes of growth) expect(megabytes).toBeLessThan(bounded);
    expect(Math.max(...slowest)).toBeLessThan(1_500);
    // What was scrolled out is still to be found with the wheel.
    await tab.page.mouse.move(300, 300);
    await tab.page.mouse.wheel(0, -600);
    await tab.sees(/^9999\d\d$/m);
    await tab.close();
  }, 120_000);

  it('can be interrupted at once', async () => {
    const tab = await openTerminalTab(browser, await all.newLink(vm));
    await tab.type('yes\n');
    await tab.sees(/^y\ny\ny$/m);
    await tab.page.keyboard.press('Control+c');
    await tab.sees(/\$ ?$/, 5_000);
    await tab.close();
  }, 60_000);
});

describe('a hundred megabytes', () => {
  it('pass a page that keeps up', async () => {
    const terminal = await openShell(await all.newLink(vm));
    let bytes = 0;
    terminal.socket.on('message', (data: Buffer) => {
      bytes += data.length;
    });
    terminal.send('yes 0123456789012345678901234567890123456789 | head -c 100M > big; echo made-$((40+2))\r');
    await terminal.waitFor(({ output }) => output.includes('made-42'), 30_000);
    const begun = performance.now();
    const cat = async () => {
      terminal.send('cat big; echo all-$((40+2))\r');
      await terminal.waitFor(({ output }) => output.includes('all-42'), 90_000);
    };
    const growth = await growthDuring(cat());
    console.info(
      `cat of 100 MB: ${Math.round(performance.now() - begun)} ms, ${Math.round(bytes / megabyte)} MB through the socket, growth ${growth} MB`,
    );
    for (const megabytes of growth) expect(megabytes).toBeLessThan(bounded);
    terminal.say({ type: 'end' });
    await terminal.closed;
  }, 120_000);

  it('wait for a page that acknowledges nothing, and reach one that lies no further than it reads', async () => {
    const terminal = await openShell(await all.newLink(vm), { acknowledge: false });
    let bytes = 0;
    terminal.socket.on('message', (data: Buffer) => {
      bytes += data.length;
    });
    terminal.send('while :; do cat /etc/services | head -c 4000; done\r');
    await vi.waitFor(() => expect(bytes).toBeGreaterThan(highWater / 2), 20_000);
    let last = -1;
    await vi.waitFor(
      () => {
        const before = last;
        last = bytes;
        expect(bytes).toBe(before);
      },
      { timeout: 20_000, interval: 1_000 },
    );
    expect(bytes).toBeLessThan(highWater + 512 * 1024);
    // It lies, and reads nothing.
    terminal.socket.pause();
    const lie = async () => {
      for (let count = 0; count < 100; count += 1) {
        terminal.say({ type: 'ack', bytes: 1_000_000_000 });
        await sleep(30);
      }
    };
    const growth = await growthDuring(lie());
    console.info(`a page that lies and does not read: growth ${growth} MB`);
    for (const megabytes of growth) expect(megabytes).toBeLessThan(bounded);
    terminal.socket.terminate();
  }, 90_000);
});

describe('one terminal', () => {
  it('echoes a key fast, and costs little memory', async () => {
    const terminal = await openShell(await all.newLink(vm));
    const times: number[] = [];
    terminal.send('cat\r');
    await terminal.waitFor(({ output }) => output.includes('cat\r\n'));
    for (let count = 0; count < 100; count += 1) {
      const echoed = new Promise((resolve) => terminal.socket.once('message', resolve));
      const begun = performance.now();
      terminal.send('x');
      await echoed;
      times.push(performance.now() - begun);
    }
    times.sort((a, b) => a - b);
    const exec = await docker.getContainer(vm.container).exec({
      Cmd: ['cat'],
      Tty: true,
      AttachStdin: true,
      AttachStdout: true,
      AttachStderr: true,
    });
    const stream = await exec.start({ hijack: true, stdin: true, Tty: true });
    const direct: number[] = [];
    for (let count = 0; count < 100; count += 1) {
      const echoed = new Promise((resolve) => stream.once('data', resolve));
      const begun = performance.now();
      stream.write('x');
      await echoed;
      direct.push(performance.now() - begun);
    }
    stream.destroy();
    direct.sort((a, b) => a - b);
    console.info(
      `key → echo: median ${times[50]!.toFixed(1)} ms, 95 % ${times[95]!.toFixed(1)} ms; docker exec alone ${direct[50]!.toFixed(1)} ms, ${direct[95]!.toFixed(1)} ms`,
    );
    expect(times[50]).toBeLessThan(60);

    const many: Awaited<ReturnType<typeof openShell>>[] = [];
    const growth = await growthDuring(
      (async () => {
        for (let count = 0; count < 15; count += 1) many.push(await openShell(await all.newLink(vm)));
      })(),
    );
    console.info(`15 terminals: growth ${growth} MB`);
    for (const megabytes of growth) expect(megabytes).toBeLessThan(bounded);
    for (const each of [terminal, ...many]) each.say({ type: 'end' });
    await Promise.all([terminal, ...many].map(({ closed }) => closed));
  }, 60_000);
});
