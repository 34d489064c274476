import { readFile } from 'node:fs/promises';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { code, fmt, pre, spoiler } from 'telegraf/format';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { createLog } from '../../shared/log.ts';
import { createPracticeServer } from './server.ts';
import { administrator, type Fixture, openFixture, testToken } from './testing/fixture.ts';
import { openPage } from './testing/open-page.ts';

let browser: Browser;
let context: BrowserContext;
let page: Page;
let fixture: Fixture;
const troubles: string[] = [];
const ada = () => fixture.client.person(administrator);
const input = () => page.getByRole('textbox', { name: 'Message' });
const answer = (text: string | ReturnType<typeof fmt>, extra = {}) =>
  fixture.telegram.sendMessage(administrator, text, extra);
const buttons = (...rows: { text: string; callback_data: string }[][]) => ({
  reply_markup: { inline_keyboard: rows },
});

/** The update in which the bot hears of a pressed button. */
const pressed = async () => {
  await expect
    .poll(async () => (await fixture.client.updates()).pending.at(-1))
    .toHaveProperty('callback_query');
  const { pending } = await fixture.client.updates();
  return pending.at(-1)!.callback_query as { id: string; data: string };
};

beforeAll(async () => {
  browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
  });
});
afterAll(() => browser.close());

beforeEach(async () => {
  fixture = await openFixture();
  context = await browser.newContext({ viewport: { width: 1000, height: 700 } });
  context.setDefaultTimeout(10_000);
  page = await context.newPage();
  troubles.length = 0;
  page.on('pageerror', (error) => troubles.push(error.message));
  page.on('console', (message) => {
    // A lost connection is what one test is about; everything else is a fault of the page.
    if (message.type() === 'error' && !message.text().includes('net::ERR_')) troubles.push(message.text());
  });
  await openPage(page, fixture.url);
});
afterEach(async () => {
  await context.close();
  await fixture.close();
  expect(troubles).toEqual([]);
});

const start = async () => {
  await page.getByRole('button', { name: 'START', exact: true }).click();
  await ada().waitForMessage(({ text }) => text === '/start');
  await input().waitFor();
};

it('greets a newcomer with a hint and a START button', async () => {
  await page.getByText('Practice chat – this machine only').waitFor();
  await page.getByText('What can this bot do?').waitFor();
  await start();
  const { pending } = await fixture.client.updates();
  expect(pending).toMatchObject([{ message: { text: '/start', from: { id: administrator } } }]);
});

it('sends on Enter, breaks the line on Shift+Enter, and shows what the bot answers and edits', async () => {
  await start();
  await input().fill('/create atlas');
  await input().press('Shift+Enter');
  await input().pressSequentially('second line');
  await input().press('Enter');
  await ada().waitForMessage(({ text }) => text === '/create atlas\nsecond line');
  expect(await input().inputValue()).toBe('');

  const { message_id } = await answer('Creating <atlas>…');
  await page.getByRole('log').getByText('Creating <atlas>…').waitFor();
  await fixture.telegram.editMessageText(administrator, message_id, undefined, 'Running');
  const bubble = page.locator(`[data-id="${message_id}"]`);
  await bubble.getByText('Running').waitFor();
  await bubble.getByText('edited').waitFor();
  await fixture.telegram.deleteMessage(administrator, message_id);
  await bubble.waitFor({ state: 'detached' });
});

it('waits visibly for the answer to a button, then shows it as a toast or an alert', async () => {
  await start();
  await answer(
    'Choose',
    buttons([
      { text: 'Stop', callback_data: 'stop' },
      { text: 'Destroy', callback_data: 'kill' },
    ]),
  );
  const stop = page.getByRole('button', { name: 'Stop' });
  await stop.click();
  const query = await pressed();
  expect(query.data).toBe('stop');
  await expect.poll(() => stop.getAttribute('class')).toContain('pending');
  await fixture.telegram.answerCbQuery(query.id, 'Stopping atlas');
  await page.getByRole('status').getByText('Stopping atlas').waitFor();
  await expect.poll(() => stop.getAttribute('class')).not.toContain('pending');

  await page.getByRole('button', { name: 'Destroy' }).click();
  await expect.poll(async () => (await pressed()).data).toBe('kill');
  await fixture.telegram.answerCbQuery((await pressed()).id, 'Really?', { show_alert: true });
  const dialog = page.getByRole('dialog');
  await dialog.getByText('Really?').waitFor();
  await page.keyboard.press('Enter');
  await dialog.waitFor({ state: 'detached' });
});

it('hides a spoiler until it is pressed, by keyboard too, and keeps it open over an edit', async () => {
  await start();
  const text = fmt`Password: ${spoiler('kX7-mango')}`;
  const { message_id } = await answer(text);
  const hidden = page.getByRole('button', { name: 'Hidden text, press to show' });
  await hidden.waitFor();
  expect(await page.evaluate("getComputedStyle(document.querySelector('.spoiler')).color")).toBe(
    'rgba(0, 0, 0, 0)',
  );
  await expect.poll(() => page.locator('.chat-row[aria-current]').textContent()).toContain('Password: ▒▒▒');
  await hidden.focus();
  await page.keyboard.press('Enter');
  const shown = page.locator('.spoiler-open');
  expect(await shown.textContent()).toBe('kX7-mango');
  await fixture.telegram.editMessageText(
    administrator,
    message_id,
    undefined,
    text,
    buttons([{ text: 'Stop', callback_data: 's' }]),
  );
  await page.getByRole('button', { name: 'Stop' }).waitFor();
  expect(await shown.textContent()).toBe('kX7-mango');
});

it('folds an expandable quote to three lines until it is pressed', async () => {
  await start();
  const text = 'one\ntwo\nthree\nthe password';
  await fixture.telegram.callApi('sendMessage', {
    chat_id: administrator,
    text,
    entities: [
      { type: 'expandable_blockquote' as never, offset: 0, length: text.length },
      { type: 'code', offset: text.indexOf('the'), length: 'the password'.length },
    ],
  });
  const folded = page.getByRole('button', { name: 'Folded quote, press to show all of it' });
  await folded.waitFor();
  const height = async () => (await page.locator('.bubble blockquote').boundingBox())!.height;
  const before = await height();
  await folded.focus();
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'the password, press to copy' }).waitFor();
  expect(await height()).toBeGreaterThan(before * 1.2);
});

it('copies code and whole blocks', async () => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await start();
  await answer(fmt`${code('ssh -p 22000 dev@127.0.0.1')}\n${pre('sh')('make\ntest')}`);
  const clipboard = () => page.evaluate('navigator.clipboard.readText()');
  await page.getByRole('button', { name: 'ssh -p 22000 dev@127.0.0.1, press to copy' }).click();
  await expect.poll(clipboard).toBe('ssh -p 22000 dev@127.0.0.1');
  await page.getByRole('button', { name: 'Copy this block' }).click();
  await expect.poll(clipboard).toBe('make\ntest');
});

it('switches between people, each with their own chat, menu and unread count', async () => {
  await start();
  const ben = fixture.client.person(1002);
  await ben.send('/start');
  await fixture.telegram.setMyCommands([{ command: 'create', description: 'Create a VM' }]);
  await fixture.telegram.setMyCommands([{ command: 'admin_info', description: 'Everything' }], {
    scope: { type: 'chat', chat_id: administrator },
  });
  for (const text of ['one', 'two']) await fixture.telegram.sendMessage(1002, text);
  const row = page.getByRole('button', { name: /^Ben/ });
  await row.getByLabel('2 unread').waitFor();

  await page.getByRole('button', { name: 'Commands' }).click();
  await page.getByRole('option', { name: '/admin_info' }).waitFor();
  await row.click();
  await page.getByRole('log').getByText('two').waitFor();
  await expect.poll(() => row.getByLabel('2 unread').count()).toBe(0);
  await page.getByText('acting as Ben').waitFor();
  await input().fill('/');
  await page.getByRole('option', { name: '/create' }).waitFor();
  expect(await page.getByRole('option').count()).toBe(1);
  await page.reload();
  await page.getByText('acting as Ben').waitFor();
});

it('sends what was typed on Enter, and what was chosen where an arrow key chose', async () => {
  await start();
  await fixture.telegram.setMyCommands([
    { command: 'start_vm', description: 'Start a VM' },
    { command: 'status', description: 'Your VMs' },
  ]);
  await page.getByRole('button', { name: 'Commands' }).waitFor();
  await input().fill('/sta');
  await page.getByRole('option', { name: '/start_vm' }).waitFor();
  await input().press('ArrowDown');
  await input().press('ArrowDown');
  await input().press('Enter');
  await ada().waitForMessage(({ text }) => text === '/status');
  await input().fill('/sta');
  await input().press('Tab');
  expect(await input().inputValue()).toBe('/start_vm ');
  await input().fill('/start');
  await input().press('Enter');
  await expect.poll(() => ada().messages().at(-1)?.text).toBe('/start');
});

it('gives files for download with their caption, and sends photos', async () => {
  await start();
  const bytes = Buffer.from('output\n'.repeat(1000));
  await fixture.telegram.sendDocument(
    administrator,
    { source: bytes, filename: 'exec output.txt' },
    { caption: 'The last lines' },
  );
  await page.getByRole('log').getByText('The last lines').waitFor();
  const downloading = page.waitForEvent('download');
  await page.getByRole('link', { name: /exec output\.txt/ }).click();
  const download = await downloading;
  expect(download.suggestedFilename()).toBe('exec output.txt');
  expect((await readFile(await download.path())).equals(bytes)).toBe(true);

  const picture = Buffer.from(await fixture.client.download(await fixture.client.person(1002).sendPhoto()));
  await page
    .locator('input[type=file]')
    .setInputFiles({ name: 'screen.png', mimeType: 'image/png', buffer: picture });
  await ada().waitForMessage(({ kind }) => kind === 'photo');
  await page.getByRole('img', { name: 'Photo screen.png' }).waitFor();
});

it('answers, edits, blocks and clears as a person can', async () => {
  await start();
  const { message_id } = await answer('Which one?');
  const question = page.locator(`[data-id="${message_id}"]`);
  await question.hover();
  await question.getByRole('button', { name: 'Reply' }).click();
  await input().fill('atlas');
  await input().press('Enter');
  const reply = await ada().waitForMessage(({ text }) => text === 'atlas');
  expect(reply.replyTo).toMatchObject({ id: message_id });

  const own = page.locator(`[data-id="${reply.id}"]`);
  await own.getByRole('button', { name: /In reply to Berth/ }).waitFor();
  await own.hover();
  await own.getByRole('button', { name: 'Edit' }).click();
  await input().fill('borealis');
  await input().press('Enter');
  await ada().waitForMessage(({ id, text }) => id === reply.id && text === 'borealis');

  const choose = async (item: string) => {
    await page.locator('summary').click();
    await page.getByRole('button', { name: item }).click();
  };
  await choose('Block the bot');
  await page.getByRole('button', { name: 'UNBLOCK AND RESTART' }).click();
  await input().waitFor();
  await choose('Clear this chat');
  await page.getByText('What can this bot do?').waitFor();
});

it('shows what the bot is doing, and what it writes to a group', async () => {
  await start();
  await fixture.telegram.sendChatAction(administrator, 'typing');
  await page.getByText('typing…').waitFor();
  const chat = await fixture.client.createGroup({ title: 'Crew', members: [1002, 1001] });
  await page.getByRole('button', { name: /^Crew/ }).click();
  await page.getByRole('combobox').selectOption('Ada');
  await input().fill('/status');
  await input().press('Enter');
  await fixture.client.waitForMessage(chat.id, ({ text, from }) => text === '/status' && from.id === 1001);
  await fixture.telegram.sendMessage(chat.id, 'In private, please.');
  await page.getByRole('log').getByText('In private, please.').waitFor();
});

it('fits 320 pixels: one pane at a time, nothing wider than the screen', async () => {
  await page.setViewportSize({ width: 320, height: 560 });
  await start();
  await answer(
    fmt`${pre('text')('x'.repeat(400))} ${code('y'.repeat(200))}`,
    buttons([
      { text: 'A button with a long label', callback_data: 'a' },
      { text: 'Another one', callback_data: 'b' },
    ]),
  );
  await page.getByRole('button', { name: 'Another one' }).waitFor();
  const overflow = () =>
    page.evaluate(
      "[document.documentElement, ...document.querySelectorAll('.chat, .messages, .sidebar')].some((e) => e.scrollWidth > e.clientWidth)",
    );
  expect(await overflow()).toBe(false);
  for (const name of ['Send', 'Attach a photo or file']) {
    const box = await page.getByRole('button', { name }).boundingBox();
    expect(box!.x + box!.width).toBeLessThanOrEqual(320);
  }
  await page.getByRole('button', { name: 'All people and groups' }).click();
  await page.getByRole('button', { name: /^Ben/ }).click();
  await page.getByRole('button', { name: 'START', exact: true }).waitFor();
  expect(await overflow()).toBe(false);
});

it('loads anew where a part of it was dropped on the way', async () => {
  for (const part of ['store.js', 'layout.css']) {
    let dropped = 0;
    await page.route(`**/${part}`, (route) => {
      dropped += 1;
      return dropped === 1 ? route.abort('failed') : route.continue();
    });
    await openPage(page, fixture.url);
    await page.getByRole('button', { name: 'START', exact: true }).waitFor();
    expect([part, dropped]).toEqual([part, 2]);
  }
});

it('comes back by itself when the server does', async () => {
  await start();
  const { port } = new URL(fixture.url);
  await fixture.close();
  await page.getByText('connecting…').waitFor();
  const again = createPracticeServer({
    log: createLog('practice', 'silent'),
    token: testToken,
    administratorId: administrator,
  });
  try {
    await again.listen(Number(port));
    await page.getByRole('button', { name: 'START', exact: true }).waitFor();
  } finally {
    await again.close();
  }
});
