import { type Browser, chromium, type Page } from 'playwright-core';
import { Telegraf } from 'telegraf';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Sample, samples } from '../services/bot/texts/testing/samples.ts';
import { createPracticeServer, type PracticeServer } from '../services/practice/server.ts';
import { openPage } from '../services/practice/testing/open-page.ts';
import { createLog } from '../shared/log.ts';
import { connectPractice, type PracticeClient } from './support/practice-client.ts';

/** Every sentence and every button as a narrow phone shows them: 320 pixels wide, nothing beside the screen, nothing cut. */

const token = '7000002:a-token-that-only-this-test-knows-000';
const administrator = 4001;
const width = 320;
/** Messages in one chat; the practice chat keeps 500 of each. */
const perReader = 400;

let server: PracticeServer;
let chat: PracticeClient;
let telegram: Telegraf['telegram'];
let browser: Browser;
let page: Page;

const keyboard = (buttons: Sample['buttons']) => ({
  inline_keyboard: buttons
    .filter((row) => row.length > 0)
    .map((row) =>
      row.map((button) =>
        'data' in button
          ? { text: button.text, callback_data: button.data }
          : { text: button.text, url: button.url },
      ),
    ),
});

const say = async (reader: number, { as, text: { text, entities = [] }, buttons }: Sample): Promise<void> => {
  const common = { chat_id: reader, reply_markup: keyboard(buttons) };
  if (as === 'caption') {
    const document = { source: Buffer.from('output'), filename: `output-${'k'.repeat(12)}.txt` };
    await telegram.sendDocument(reader, document, { caption: text, caption_entities: entities });
  } else await telegram.callApi('sendMessage', { ...common, text, entities });
};

const distinct = [
  ...new Map(samples.map((sample) => [JSON.stringify([sample.text, sample.buttons]), sample])).values(),
];
const spoken = distinct.filter(({ as }) => as !== 'toast');
const readers = Array.from({ length: Math.ceil(spoken.length / perReader) }, (_, index) => ({
  id: 5_001 + index,
  firstName: `Reader${index + 1}`,
  heard: spoken.slice(index * perReader, (index + 1) * perReader),
}));
const longestToast = distinct
  .filter(({ as }) => as === 'toast')
  .map(({ text }) => text.text)
  .sort((a, b) => b.length - a.length)[0]!;

/** In the page: what of the messages is cut, or stands beside the screen. A code block may scroll what is in it. */
const troubles = `(() => {
  const found = [];
  const say = (node, what) => found.push(what + ': ' + node.className + ' in ' + node.closest('article').textContent.slice(0, 80));
  for (const part of document.querySelectorAll('article .bubble, article .bubble *, article .key, article .key *')) {
    if (part.closest('.pre pre') && !part.matches('.pre pre')) continue;
    const { left, right } = part.getBoundingClientRect();
    const bubble = part.closest('.bubble, .key').getBoundingClientRect();
    if (left < 0 || right > innerWidth) say(part, 'beside the screen');
    else if (left < bubble.left - 1 || right > bubble.right + 1) say(part, 'beside its bubble');
    const cut = part.clientWidth > 0 && part.scrollWidth > part.clientWidth;
    if (cut && !part.matches('.pre pre')) say(part, 'cut');
    if (part.matches('.key') && part.scrollHeight > part.clientHeight) say(part, 'a label clipped');
  }
  const scrolling = [document.documentElement, document.body, ...document.querySelectorAll('.chat, .messages')];
  for (const part of scrolling) if (part.scrollWidth > part.clientWidth) found.push('scrolls sideways: ' + part.className);
  return found;
})()`;

beforeAll(async () => {
  server = createPracticeServer({
    token,
    administratorId: administrator,
    log: createLog('practice', 'silent'),
  });
  const url = await server.listen(0);
  chat = await connectPractice(url);
  telegram = new Telegraf(token, { telegram: { apiRoot: url } }).telegram;
  browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
  });
  for (const { id, firstName, heard } of readers) {
    await chat.addPerson({ id, firstName });
    await chat.person(id).send('/start');
    for (const sample of heard) await say(id, sample);
  }
  page = await browser.newPage({ viewport: { width, height: 640 }, reducedMotion: 'reduce' });
  await openPage(page, url);
});
/** Opens a reader's chat, all of it. */
const open = async ({ firstName, heard }: (typeof readers)[number]): Promise<void> => {
  await page.getByRole('button', { name: 'All people and groups' }).click();
  await page.getByRole('button', { name: new RegExp(`^${firstName}`) }).click();
  await page.locator('article').nth(heard.length).waitFor();
};
afterAll(async () => {
  await browser?.close();
  chat?.close();
  await server?.close();
});

it.each(readers)(
  'every message and button is whole and within the screen: $firstName',
  async (reader) => {
    await open(reader);
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      expect(await page.evaluate(troubles)).toEqual([]);
    }
    // Folded quotes hold the way into a VM.
    await page.evaluate("document.querySelectorAll('.folded').forEach((quote) => quote.click())");
    expect(await page.locator('.folded').count()).toBe(0);
    expect(await page.evaluate(troubles)).toEqual([]);
  },
  120_000,
);

it('what is too wide is found', async () => {
  const planted = "const text = document.querySelector('article .text');";
  await page.evaluate(
    `${planted} text.style.whiteSpace = 'nowrap'; text.style.overflow = 'hidden'; text.append('w'.repeat(99))`,
  );
  expect(await page.evaluate(troubles)).not.toEqual([]);
});

it('the longest toast is whole, as a line and as a question to dismiss', async () => {
  await telegram.sendMessage(readers.at(-1)!.id, 'Press it', keyboardOf('toast', 'alert'));
  const whole = async (box: { x: number; width: number } | null) => {
    expect(box!.x).toBeGreaterThanOrEqual(0);
    expect(box!.x + box!.width).toBeLessThanOrEqual(width);
  };
  for (const label of ['toast', 'alert']) {
    await page.getByRole('button', { name: label, exact: true }).click();
    const query = await pressed(label);
    await telegram.answerCbQuery(query, longestToast, { show_alert: label === 'alert' });
    const shown = page.getByRole(label === 'alert' ? 'dialog' : 'status').getByText(longestToast);
    await shown.waitFor();
    await whole(await shown.boundingBox());
    expect(
      await shown.evaluate(
        (node: { scrollWidth: number; clientWidth: number }) => node.scrollWidth > node.clientWidth,
      ),
    ).toBe(false);
  }
});

const keyboardOf = (...labels: string[]) => ({
  reply_markup: { inline_keyboard: [labels.map((text) => ({ text, callback_data: text }))] },
});
const pressed = async (data: string): Promise<string> => {
  const query = async () => {
    const { pending } = await chat.updates();
    return pending.at(-1)?.callback_query as { id: string; data: string } | undefined;
  };
  await expect.poll(async () => (await query())?.data).toBe(data);
  return (await query())!.id;
};
