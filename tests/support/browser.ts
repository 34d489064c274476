import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Page,
} from 'playwright-core';

/** The terminal page in a real browser. */

export const startBrowser = (): Promise<Browser> =>
  chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
  });

export type TerminalTab = {
  page: Page;
  context: BrowserContext;
  /** What went wrong in the page. */
  troubles: string[];
  /** What the screen shows, without the blanks at the ends of its lines. */
  screen(): Promise<string>;
  type(text: string): Promise<void>;
  /** Waits until the screen matches. */
  sees(what: RegExp | string, timeoutMs?: number): Promise<string>;
  notice(): Promise<string>;
  close(): Promise<void>;
};

/** xterm.js draws its rows as elements: what they say is what a person sees. */
const readScreen = (page: Page): Promise<string> =>
  page.evaluate(
    `[...document.querySelectorAll('.xterm-rows > div')].map((row) => row.textContent.replaceAll('\\u00a0', ' ').trimEnd()).join('\\n')`,
  );

export const watchTab = (page: Page, context: BrowserContext): TerminalTab => {
  const troubles: string[] = [];
  page.on('pageerror', (error) => troubles.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error' && !/WebSocket connection|net::ERR_/.test(message.text()))
      troubles.push(message.text());
  });
  const tab: TerminalTab = {
    page,
    context,
    troubles,
    screen: () => readScreen(page),
    type: (text) => page.keyboard.type(text),
    async sees(what, timeoutMs = 15_000) {
      const matches = (text: string) => (typeof what === 'string' ? text.includes(what) : what.test(text));
      const until = performance.now() + timeoutMs;
      for (;;) {
        const text = await readScreen(page);
        if (matches(text)) return text;
        if (performance.now() > until) throw new Error(`the screen never showed ${what}:\n${text}`);
        await page.evaluate('new Promise(requestAnimationFrame)');
      }
    },
    notice: async () => (await page.locator('#notice').textContent()) ?? '',
    close: () => context.close(),
  };
  return tab;
};

/** Opens a link as a person does: the page, the button, the terminal with its prompt. */
export const openTerminalTab = async (
  browser: Browser,
  link: string,
  options: BrowserContextOptions = {},
): Promise<TerminalTab> => {
  const context = await browser.newContext({ viewport: { width: 1000, height: 640 }, ...options });
  context.setDefaultTimeout(15_000);
  const page = await context.newPage();
  const tab = watchTab(page, context);
  await page.goto(link);
  await page.getByRole('button', { name: 'Open terminal' }).click();
  await tab.sees(/\$ ?$/m);
  return tab;
};
