import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openTerminalTab, startBrowser, type TerminalTab } from './support/browser.ts';
import { startWithGateway, type WithGateway } from './support/gateway.ts';
import type { ChatMessage, Participant } from './support/practice-client.ts';
import { placesWith } from './support/stored.ts';

/** Links as people get them: from the chat into the browser, and what makes them void. */

let all: WithGateway;
let browser: Browser;
let ann: Participant;
const tabs: TerminalTab[] = [];

const says = (part: string) => (message: ChatMessage) => message.fromBot && message.text.includes(part);
const labels = (message: ChatMessage) => message.buttons.flat().map(({ text }) => text);
const linkIn = (message: ChatMessage): string => {
  const [url] = message.buttons.flat().map((button) => ('url' in button ? String(button.url) : ''));
  expect(message.text).toContain(url);
  return url!;
};
const askForLink = async (person: Participant, text = '/web_terminal'): Promise<string> =>
  linkIn(await person.ask(text, says('opens once'), { timeoutMs: 20_000 }));
const open = async (link: string): Promise<TerminalTab> => {
  const tab = await openTerminalTab(browser, link);
  tabs.push(tab);
  return tab;
};
/** Whether it ended, with these words, within five seconds of what ended it. */
const endsSoon = async (tab: TerminalTab, act: () => Promise<unknown>, words: RegExp): Promise<void> => {
  const begun = performance.now();
  const acting = act();
  expect(await sawItsEnd(tab)).toMatch(words);
  expect(performance.now() - begun).toBeLessThan(5_000);
  await acting;
};
/** The words of the panel at a terminal's end. */
const sawItsEnd = async (tab: TerminalTab): Promise<string> => {
  await tab.page.waitForSelector('#ended:not([hidden])', { timeout: 15_000 });
  return (await tab.page.textContent('#ended')) ?? '';
};

beforeAll(async () => {
  [all, browser] = await Promise.all([startWithGateway(), startBrowser()]);
  ann = all.berth.chat.person((await all.newVm('Ann', 'box')).userId);
});
afterEach(async () => {
  for (const tab of tabs.splice(0)) await tab.close();
});
afterAll(async () => {
  await browser?.close();
  await all?.stop();
});

describe('/web_terminal', () => {
  it('ends in a button and a link that open a terminal on the VM, once', async () => {
    const link = await askForLink(ann);
    expect(link).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/t\/[\w-]{43}$/);
    const tab = await open(link);
    await tab.type('hostname\n');
    await tab.sees(/^box$/m);
    expect((await fetch(link)).status).not.toBe(200);
    expect(await (await fetch(link)).text()).toContain('/web_terminal');
  });

  it('is the Terminal button of a VM, too', async () => {
    const created = ann.messages().find(says('box is running'))!;
    expect(labels(created)).toContain('🖥 Terminal');
    await ann.press(created, '🖥 Terminal');
    const offered = await ann.waitForMessage(
      (message) => says('opens once')(message) && message.id > created.id + 2,
    );
    const tab = await open(linkIn(offered));
    await tab.type('id -un\n');
    await tab.sees(/^dev$/m);
  });

  it('shows in /status, whose button closes it', async () => {
    const tab = await open(await askForLink(ann));
    await tab.type('echo here\n');
    await tab.sees(/^here$/m);
    const card = await ann.ask('/status', says('1 terminal is open'));
    await ann.pressAndWait(card, '✖️ Close the terminal');
    expect(await sawItsEnd(tab)).toMatch(/closed/i);
  });

  it('closes within five seconds when the VM stops, and says so', async () => {
    const tab = await open(await askForLink(ann));
    await tab.type('echo here\n');
    await tab.sees(/^here$/m);
    await endsSoon(tab, () => ann.send('/stop'), /stopped/i);
    await ann.waitForMessage(says('box is stopped'), { timeoutMs: 20_000 });
    const refused = await ann.ask('/web_terminal', says('is stopped'));
    expect(labels(refused)).toContain('▶️ Start');
    await ann.ask('/start_vm', says('running again'), { timeoutMs: 20_000 });
  });

  it('closes as fast when maintenance begins, or its owner is taken off the list', {
    timeout: 90_000,
  }, async () => {
    const first = await open(await askForLink(ann));
    await first.sees('$');
    await endsSoon(first, () => all.berth.admin.send('/maintenance on'), /maintenance/i);
    await all.berth.admin.ask('/maintenance off', says('1 of 1 VM started'), { timeoutMs: 30_000 });
    const second = await open(await askForLink(ann));
    await second.sees('$');
    await endsSoon(second, () => all.berth.admin.send(`/remove_user ${ann.id}`), /list of users/i);
    await ann.waitForMessage(says('is stopped. Its files are kept'), { timeoutMs: 20_000 });
    await all.berth.admin.ask(`/allow_user ${ann.id}`, says('may use Berth'));
    await ann.ask('/start_vm', says('running again'), { timeoutMs: 30_000 });
  });

  it('closes as fast when the VM is destroyed', async () => {
    const bob = all.berth.chat.person((await all.newVm('Bob', 'cabin')).userId);
    const tab = await open(await askForLink(bob));
    await tab.type('echo here\n');
    await tab.sees(/^here$/m);
    const question = await bob.ask('/destroy', says('for good'));
    await endsSoon(tab, () => bob.press(question, '🗑 Yes, destroy cabin'), /destroyed/i);
    await bob.waitForMessage(says('cabin is destroyed'), { timeoutMs: 20_000 });
  });

  it('says at a restart that the VM comes back, and opens anew when it has', async () => {
    const tab = await open(await askForLink(ann));
    await tab.type('echo here\n');
    await tab.sees(/^here$/m);
    const restarted = ann.ask('/restart', says('running again'), { timeoutMs: 30_000 });
    expect(await sawItsEnd(tab)).toMatch(/restarted.*by itself.*\/start_vm/s);
    await restarted;
    await tab.page.getByRole('button', { name: 'New terminal' }).click();
    await tab.type('clear; echo anew-$((40+2))\n');
    await tab.sees(/^anew-42$/m);
  });

  it('says what to do instead where the stop has made its link void', async () => {
    const tab = await open(await askForLink(ann));
    await tab.type('echo here\n');
    await tab.sees(/^here$/m);
    const stopped = ann.ask('/stop', says('box is stopped'), { timeoutMs: 20_000 });
    await sawItsEnd(tab);
    await stopped;
    await ann.ask('/start_vm', says('running again'), { timeoutMs: 20_000 });
    const again = tab.page.getByRole('button', { name: 'New terminal' });
    await again.click();
    await tab.page.getByText('made before the VM was stopped').waitFor();
    expect(await sawItsEnd(tab)).toContain('/web_terminal');
    expect(await again.isVisible()).toBe(false);
  });

  it('keeps its ticket out of database, Redis and logs', async () => {
    const link = await askForLink(ann);
    const ticket = link.split('/').at(-1)!;
    // The practice chat's own file stands for Telegram, which shows it to its owner.
    expect(await placesWith(all.berth, ticket)).toEqual([]);
  });

  it('says what is missing while no gateway answers, and comes when one does', async () => {
    await all.gateway().end();
    const waiting = await ann.ask('/web_terminal', says('Preparing a link'));
    await all.startGateway();
    const offered = await ann.waitForMessage(
      (message) => message.id === waiting.id && says('opens once')(message),
      { timeoutMs: 30_000 },
    );
    const tab = await open(linkIn(offered));
    await tab.sees('$');
  });
});

describe('/dashboard', () => {
  it('leads an administrator to the queues, once, and nobody else', async () => {
    expect((await ann.ask('/dashboard')).text).toContain('is for administrators');
    const link = await askForLink(all.berth.admin, '/dashboard');
    expect(link).toMatch(/\/d\/[\w-]{43}$/);
    const page = await browser.newPage();
    await page.goto(link);
    await page.click('button');
    await page.waitForURL('**/queues**');
    await page.waitForSelector('text=lifecycle');
    await page.close();
    expect((await fetch(`${all.origin}/queues`)).status).toBe(403);
  });
});

it('/admin_info tells of the gateway and its way', async () => {
  const told = await all.berth.admin.ask('/admin_info', says('By its own address'), { timeoutMs: 20_000 });
  expect(told.text).toContain(all.origin);
});
