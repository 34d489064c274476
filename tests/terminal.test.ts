import { type Browser, devices } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { openTerminalTab, startBrowser, type TerminalTab, watchTab } from './support/browser.ts';
import { docker } from './support/docker.ts';
import { startWithGateway, type Vm, type WithGateway } from './support/gateway.ts';

/** What somebody does in the web terminal, in a real browser, with a real VM. */

let all: WithGateway;
let browser: Browser;
let vm: Vm;
const tabs: TerminalTab[] = [];

const open = async (options = {}): Promise<TerminalTab> => {
  const tab = await openTerminalTab(browser, await all.newLink(vm), options);
  tabs.push(tab);
  return tab;
};
const shot = (tab: TerminalTab, name: string) =>
  process.env.SCREENSHOTS === undefined
    ? Promise.resolve()
    : tab.page.screenshot({ path: `${process.env.SCREENSHOTS}/${name}.png` });

/** A point within the first row that matches. */
const placeOf = async (tab: TerminalTab, row: RegExp) => {
  const box = await tab.page.locator('.xterm-rows > div', { hasText: row }).first().boundingBox();
  return { x: box!.x + 40, y: box!.y + box!.height / 2 };
};

/** What `ps` shows of tmux in the VM. */
const processes = async (): Promise<string[]> => {
  const { Processes } = await docker.getContainer(vm.container).top({ ps_args: '-eo pid,args' });
  return (Processes as string[][]).map(([, args]) => args!);
};
const webSessions = async () =>
  (await processes()).filter((args) => args.startsWith('tmux ') && args.includes('new-session'));

beforeAll(async () => {
  [all, browser] = await Promise.all([startWithGateway(), startBrowser()]);
  vm = await all.newVm('Vera', 'atlas');
});
afterEach(async () => {
  for (const tab of tabs.splice(0)) {
    const { troubles } = tab;
    await tab.close();
    expect(troubles).toEqual([]);
  }
});
afterAll(async () => {
  await browser?.close();
  await all?.stop();
});

describe('the web terminal', () => {
  it('runs what is typed as dev in their home, and says whose VM it is', async () => {
    const tab = await open({ colorScheme: 'dark' });
    expect(await tab.page.title()).toBe('atlas · Berth');
    await tab.type('id -un; pwd; echo $TERM $LANG; ls --color -la /\n');
    await tab.sees(/^dev\n\/home\/dev\ntmux-256color C.UTF-8$/m);
    await shot(tab, 'dark');
  });

  it('follows the window’s size, and shows colours and wide characters in light and dark', async () => {
    const tab = await open({ colorScheme: 'light' });
    const sized = async () => {
      await tab.type('clear; stty size\n');
      const found = /^(\d+) (\d+)$/m.exec(await tab.sees(/^\d+ \d+$/m))!;
      return [Number(found[1]), Number(found[2])];
    };
    const [rows, columns] = await sized();
    await tab.page.setViewportSize({ width: 700, height: 400 });
    await vi.waitFor(async () => {
      const [fewer, narrower] = await sized();
      expect(fewer).toBeLessThan(rows! - 5);
      expect(narrower).toBeLessThan(columns! - 20);
    }, 10_000);
    await tab.type("clear; printf '\\e[31mred \\e[38;2;10;120;200mtrue\\e[0m 日本語|é|👩‍🚀|done\\n'\n");
    await tab.sees(/^red true 日本語\|é\|.*\|done$/m);
    await tab.type('printf 日本語x; echo\n');
    await tab.sees(/^日本語x$/m);
    await shot(tab, 'light');
  });

  it('interrupts with Ctrl-C, and runs vim', async () => {
    const tab = await open();
    await tab.type('sleep 1000\n');
    await tab.page.keyboard.press('Control+c');
    await tab.sees(/\^C\n.*\$ ?$/m);
    await tab.type('vim -u NONE notes.txt\n');
    await tab.sees(/^~$/m);
    await tab.type('ihello from vim');
    await tab.page.keyboard.press('Escape');
    await tab.type(':wq\n');
    await tab.sees(/notes.txt\n[\s\S]*\$ ?$/m); // what is typed before vim has left is vim's
    await tab.type('clear; cat notes.txt\n');
    await tab.sees(/^hello from vim$/m);
  });

  it('leaves Ctrl-B to programs, and lets people run a tmux of their own', async () => {
    const tab = await open();
    await tab.type('echo bc');
    await tab.page.keyboard.press('Control+b');
    await tab.page.keyboard.press('Control+b');
    await tab.type('a\n');
    await tab.sees(/^abc$/m);
    await tab.type('tmux new -d -s mine && tmux ls; tmux kill-server\n');
    await tab.sees(/^mine: 1 windows/m);
  });

  it('copies what a program puts on the clipboard, pastes, and gives the clipboard to no program', async () => {
    const tab = await open({ permissions: ['clipboard-read', 'clipboard-write'] });
    await tab.type("printf '\\e]52;c;%s\\a' $(printf 'fr\u00f6m the VM' | base64)\n");
    await vi.waitFor(async () =>
      expect(await tab.page.evaluate('navigator.clipboard.readText()')).toBe('fr\u00f6m the VM'),
    );
    await tab.page.evaluate("navigator.clipboard.writeText('echo pasted-$((40+2))')");
    await tab.page.keyboard.press('Control+Shift+v');
    await tab.page.keyboard.press('Enter');
    await tab.sees(/^pasted-42$/m);
    const word = await placeOf(tab, /^pasted-42/);
    await tab.page.keyboard.down('Shift');
    await tab.page.mouse.dblclick(word.x, word.y);
    await tab.page.keyboard.up('Shift');
    await tab.page.keyboard.press('Control+Shift+c');
    await vi.waitFor(async () =>
      expect(await tab.page.evaluate('navigator.clipboard.readText()')).toContain('pasted'),
    );
  });

  it('comes back as it was after a reload; a second window, and a duplicate of a tab, are others', async () => {
    const tab = await open();
    await tab.type('state=kept; clear; echo ready\n');
    await tab.sees(/^ready$/m);
    await tab.page.reload();
    await tab.sees(/^ready$/m);
    await tab.type('echo $state\n');
    await tab.sees(/^kept$/m);

    const second = watchTab(await tab.context.newPage(), tab.context);
    await second.page.goto(tab.page.url());
    await second.sees(/\$ ?$/m);
    await second.type('echo "<$state>"\n');
    await second.sees(/^<>$/m);

    const [duplicate] = await Promise.all([
      tab.context.waitForEvent('page'),
      // A page that opens another hands its storage over, as duplicating a tab does.
      tab.page.evaluate('void window.open(location.href)'),
    ]);
    const third = watchTab(duplicate, tab.context);
    await third.sees(/\$ ?$/m);
    await third.type('echo "<$state>"\n');
    await third.sees(/^<>$/m);
    await tab.type('echo still $state\n');
    await tab.sees(/^still kept$/m);
  });

  it('ends with its shell, offers a new one, and leaves nothing behind after Close', async () => {
    const tab = await open();
    await tab.type('exit\n');
    await tab.page.getByRole('heading', { name: 'The shell has ended' }).waitFor();
    await shot(tab, 'ended');
    await tab.page.getByRole('button', { name: 'New terminal' }).click();
    await tab.sees(/\$ ?$/m);
    await tab.type('sleep 4711\n');
    await vi.waitFor(async () => expect(await processes()).toContain('sleep 4711'));
    tab.page.on('dialog', (dialog) => void dialog.accept());
    await tab.page.getByRole('button', { name: 'Close' }).click();
    await tab.page.getByRole('heading', { name: 'Closed' }).waitFor();
    await vi.waitFor(async () => expect(await processes()).not.toContain('sleep 4711'));
  });

  it('opens links apart from this page', async () => {
    const tab = await open();
    await tab.type('clear; echo http://127.0.0.1:9/there\n');
    await tab.sees(/^http:\/\/127\.0\.0\.1:9\/there$/m);
    const link = await placeOf(tab, /^http:/);
    const opening = tab.context.waitForEvent('page');
    await tab.page.mouse.move(link.x, link.y);
    await tab.page.locator('.xterm-cursor-pointer').waitFor();
    await tab.page.mouse.click(link.x, link.y);
    const page = await opening;
    expect(await page.evaluate('window.opener').catch(() => null)).toBeNull();
    await page.close();
  });
});

describe('on a phone', () => {
  it('has a row of the keys that phones lack, and fits 320 points', async () => {
    const tab = await open({
      ...devices['iPhone SE'],
      viewport: { width: 320, height: 560 },
      isMobile: true,
    });
    for (const key of ['Ctrl', 'Esc', 'Tab', 'Left', 'Up', 'Down', 'Right'])
      expect(await tab.page.getByRole('button', { name: key, exact: true }).isVisible()).toBe(true);
    expect(await tab.page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(320);
    await tab.type('echo first\n');
    await tab.sees(/^first$/m);
    await tab.page.getByRole('button', { name: 'Up', exact: true }).tap();
    await tab.sees(/\$ echo first$/m);
    await tab.page.getByRole('button', { name: 'Ctrl', exact: true }).tap();
    await tab.type('c');
    await tab.sees(/echo first\^C$/m);
    await tab.type('/bin/ec');
    await tab.page.getByRole('button', { name: 'Tab', exact: true }).tap();
    await tab.sees(/\/bin\/echo/);
    await shot(tab, 'phone');
  });

  it('scrolls back under a finger', async () => {
    const tab = await open({
      ...devices['iPhone SE'],
      viewport: { width: 320, height: 560 },
      isMobile: true,
    });
    await tab.type('seq 500\n');
    await tab.sees(/^500$/m);
    const cdp = await tab.context.newCDPSession(tab.page);
    const touch = (type: 'touchStart' | 'touchMove' | 'touchEnd', y?: number) =>
      cdp.send('Input.dispatchTouchEvent', { type, touchPoints: y === undefined ? [] : [{ x: 150, y }] });
    await touch('touchStart', 150);
    for (let y = 150; y < 450; y += 20) await touch('touchMove', y);
    await touch('touchEnd');
    await vi.waitFor(async () => expect(await tab.screen()).not.toMatch(/^500$/m));
    await tab.sees(/^4\d\d$/m);
  });
});

describe('what runs in the VM', () => {
  it('is tmux and what people run in it, and nothing else of ours', async () => {
    expect(await webSessions()).not.toEqual([]);
    const others = (await processes()).filter((args) => /berth/.test(args) && !args.startsWith('tmux '));
    expect(others.filter((args) => !args.includes('/usr/local/lib/berth/entrypoint'))).toEqual([]);
  });
});
