import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { openTerminalTab, startBrowser, type TerminalTab } from './support/browser.ts';
import { startWithGateway, type Vm, type WithGateway } from './support/gateway.ts';
import { openShell, openSocket, startSession } from './support/terminal-socket.ts';

/** What a terminal survives. */

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

const withState = async (): Promise<TerminalTab> => {
  const tab = await openTerminalTab(browser, await all.newLink(vm));
  await tab.type('state=kept; clear; echo ready\n');
  await tab.sees(/^ready$/m);
  return tab;
};
const stateIsKept = async (tab: TerminalTab) => {
  await vi.waitFor(async () => expect(await tab.notice()).toBe(''), 30_000);
  await tab.type('echo "<$state>"\n');
  await tab.sees(/^<kept>$/m, 20_000);
};
const reconnecting = (tab: TerminalTab) =>
  vi.waitFor(async () => expect(await tab.notice()).toMatch(/^Reconnecting….*dropped/), 10_000);

describe('a terminal goes on as it was', () => {
  it('when the gateway was killed and is back, and says meanwhile that it reconnects', async () => {
    const tab = await withState();
    await all.gateway().end('SIGKILL');
    await reconnecting(tab);
    if (process.env.SCREENSHOTS !== undefined)
      await tab.page.screenshot({ path: `${process.env.SCREENSHOTS}/reconnecting.png` });
    await all.startGateway();
    await stateIsKept(tab);
    await tab.close();
  }, 60_000);

  it('however long that takes, and says after half a minute what else can be done', async () => {
    const tab = await withState();
    await tab.page.clock.install();
    await all.gateway().end('SIGKILL');
    await reconnecting(tab);
    expect(await tab.notice()).not.toContain('/web_terminal');
    await tab.page.clock.fastForward(31_000);
    await vi.waitFor(async () => expect(await tab.notice()).toMatch(/^Reconnecting….*\/web_terminal/), 5_000);
    await all.startGateway();
    await stateIsKept(tab);
    await tab.close();
  }, 60_000);

  it('when the line was replaced, as after sleep; and Close is done although nobody heard it at once', async () => {
    const tab = await withState();
    await tab.page.evaluate("dispatchEvent(new Event('online'))");
    await stateIsKept(tab);
    await all.gateway().end('SIGKILL');
    await reconnecting(tab);
    tab.page.on('dialog', (dialog) => void dialog.accept());
    await tab.page.getByRole('button', { name: 'Close' }).click();
    await all.startGateway();
    await tab.page.getByRole('heading', { name: 'Closed' }).waitFor();
    await tab.close();
  }, 60_000);

  it('when its worker is killed: another one takes over', async () => {
    const tab = await withState();
    const [first] = all.berth.workers();
    await first!.end('SIGKILL');
    await reconnecting(tab);
    await all.berth.startWorker();
    await stateIsKept(tab);
    await tab.close();
  }, 60_000);

  it('without what was typed while it was lost: whole or in part, that is not run', async () => {
    const tab = await withState();
    await all.berth.workers().at(-1)!.end('SIGKILL');
    await reconnecting(tab);
    await tab.type('echo typed > while-lost\n');
    await all.berth.startWorker();
    await stateIsKept(tab);
    // In one go: nobody has heard of the new line yet.
    await tab.page.evaluate(`
      dispatchEvent(new Event('online'));
      const clipboardData = new DataTransfer();
      clipboardData.setData('text/plain', 'echo pasted > while-lost;');
      document.querySelector('.xterm-helper-textarea').dispatchEvent(new ClipboardEvent('paste', { clipboardData }));
    `);
    await stateIsKept(tab);
    await tab.type('clear; ls; echo that-is-$((40+2))\n');
    await tab.sees(/^that-is-42$/m);
    expect(await tab.screen()).not.toMatch(/while-lost|not found/);
    await tab.close();
  }, 60_000);

  it('when its worker stops in order while another one is there: at once', async () => {
    const second = await all.berth.startWorker();
    const tab = await withState();
    const running = all.berth.workers().filter((worker) => worker !== second);
    await running.at(-1)!.end();
    await stateIsKept(tab);
    await second.end();
    await all.berth.startWorker();
    await stateIsKept(tab);
    await tab.close();
  }, 60_000);

  it('when its worker hangs: it is noticed', async () => {
    const terminal = await openShell(await all.newLink(vm));
    const worker = all.berth.workers().at(-1)!;
    worker.signal('SIGSTOP');
    const other = await all.berth.startWorker();
    await terminal.waitFor(({ messages }) => messages.some(({ type }) => type === 'lost'), 30_000);
    await terminal.waitFor(({ messages }) => messages.at(-1)?.type === 'attached', 30_000);
    worker.signal('SIGCONT');
    terminal.send('echo on-$((40+2))\r');
    await terminal.waitFor(({ output }) => output.includes('on-42'));
    terminal.say({ type: 'end' });
    await terminal.closed;
    await worker.end();
    expect(other.output()).not.toContain('"level":"error"');
  }, 90_000);

  it('when Redis restarts: nothing is noticed', async () => {
    const terminal = await openShell(await all.newLink(vm));
    await all.berth.redis.restart();
    terminal.send('echo on-$((40+2))\r');
    await terminal.waitFor(({ output }) => output.includes('on-42'));
    expect(terminal.messages.map(({ type }) => type)).toEqual(['attached']);
    await all.revoke({ vmId: vm.vmId, reason: 'maintenance' });
    expect(await terminal.closed).toBe(1000);
  }, 60_000);

  it('in the newest of two sockets of one window', async () => {
    const session = await startSession(await all.newLink(vm));
    const first = openSocket(session, { window: 'samewindow' });
    await first.waitFor(({ output }) => output.includes('$ '));
    const second = openSocket(session, { window: 'samewindow' });
    expect(await first.closed).toBe(4001);
    await second.waitFor(({ output }) => output.includes('$ '));
    second.send('echo on-$((40+2))\r');
    await second.waitFor(({ output }) => output.includes('on-42'));
    second.say({ type: 'end' });
    expect(await second.closed).toBe(1000);
  });
});
