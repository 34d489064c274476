import { bold, code, fmt, link, spoiler } from 'telegraf/format';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { administrator, type Fixture, openFixture, refusalOf, testToken } from '../testing/fixture.ts';

let fixture: Fixture;
const ada = () => fixture.client.person(administrator);

beforeAll(async () => {
  fixture = await openFixture();
  await ada().send('/start');
});
afterAll(() => fixture.close());

describe('sending', () => {
  it('delivers text with entities, buttons and a quotation to the person', async () => {
    const question = await ada().send('status?');
    const text = fmt`Machine ${bold`atlas`} ${code`ssh -p 22000 dev@127.0.0.1`} ${spoiler`pass`}`;
    const sent = await fixture.telegram.sendMessage(administrator, text, {
      reply_parameters: { message_id: question.id },
      reply_markup: {
        inline_keyboard: [
          [{ text: 'Stop', callback_data: 'v1:stop' }],
          [{ text: 'Help', url: 'https://example.org/' }],
        ],
      },
      link_preview_options: { is_disabled: true },
    });
    const seen = await ada().waitForMessage(({ id }) => id === sent.message_id);
    expect(seen).toMatchObject({
      fromBot: true,
      text: 'Machine atlas ssh -p 22000 dev@127.0.0.1 pass',
      replyTo: { id: question.id, name: 'Ada', text: 'status?' },
      edits: 0,
    });
    expect(seen.entities.map(({ type }) => type)).toEqual(['bold', 'code', 'spoiler']);
    expect(seen.buttons).toEqual([
      [{ text: 'Stop', callback_data: 'v1:stop' }],
      [{ text: 'Help', url: 'https://example.org/' }],
    ]);
    expect(sent.reply_to_message).toMatchObject({ message_id: question.id, text: 'status?' });
  });

  it('reads HTML, nested and escaped', async () => {
    const sent = await fixture.telegram.sendMessage(
      administrator,
      '<b>bold <i>both</i></b> <a href="https://example.org/?a=1&amp;b=2">link</a>\n<pre><code class="language-sh">ls &lt;dir&gt;</code></pre>',
      { parse_mode: 'HTML' },
    );
    expect(sent.text).toBe('bold both link\nls <dir>');
    expect(sent.entities).toEqual([
      { type: 'bold', offset: 0, length: 9 },
      { type: 'italic', offset: 5, length: 4 },
      { type: 'text_link', offset: 10, length: 4, url: 'https://example.org/?a=1&b=2' },
      { type: 'pre', offset: 15, length: 8, language: 'sh' },
    ]);
  });

  it('shows code under a spoiler openly, as Telegram does', async () => {
    const sent = await fixture.telegram.sendMessage(
      administrator,
      fmt`${spoiler(fmt`key ${code`secret`} end`)}`,
    );
    expect(sent.entities).toEqual([
      { type: 'spoiler', offset: 0, length: 4 },
      { type: 'code', offset: 4, length: 6 },
      { type: 'spoiler', offset: 11, length: 3 },
    ]);
  });

  it('makes commands, mentions and addresses of a text clickable', async () => {
    const sent = await fixture.telegram.sendMessage(
      administrator,
      'Try /create, @ben_builds or https://a.example/x.',
    );
    expect(sent.entities).toEqual([
      { type: 'bot_command', offset: 4, length: 7 },
      { type: 'mention', offset: 13, length: 11 },
      { type: 'url', offset: 28, length: 19 },
    ]);
  });

  it.each([
    ['an empty text', '', {}, '400 Bad Request: message text is empty'],
    ['a text of blanks', ' \n ', {}, '400 Bad Request: message text is empty'],
    ['4,097 units', 'x'.repeat(4097), {}, '400 Bad Request: message is too long'],
    ['an emoji across the limit', `${'x'.repeat(4095)}😀`, {}, '400 Bad Request: message is too long'],
    [
      'an unknown tag',
      'é <p>x</p>',
      { parse_mode: 'HTML' },
      `400 Bad Request: can't parse entities: Unsupported start tag "p" at byte offset 3`,
    ],
    [
      'an unclosed tag',
      '<b>x',
      { parse_mode: 'HTML' },
      `400 Bad Request: can't parse entities: Can't find end tag corresponding to start tag "b"`,
    ],
    [
      'tags closed in the wrong order',
      '<b><i>x</b></i>',
      { parse_mode: 'HTML' },
      `400 Bad Request: can't parse entities: Unmatched end tag at byte offset 7, expected "</i>", found "</b>"`,
    ],
    [
      'an end tag too many',
      'x</b>',
      { parse_mode: 'HTML' },
      `400 Bad Request: can't parse entities: Unexpected end tag at byte offset 1`,
    ],
    [
      'an entity past the end',
      'hello',
      { entities: [{ type: 'bold', offset: 0, length: 100 }] },
      '400 Bad Request: entity beginning at UTF-16 offset 0 ends after the end of the text at UTF-16 offset 100',
    ],
    [
      'an entity inside a symbol',
      '😀x',
      { entities: [{ type: 'bold', offset: 1, length: 1 }] },
      '400 Bad Request: entity begins in a middle of a UTF-16 symbol at byte offset 4',
    ],
    [
      'an unknown entity',
      'x',
      { entities: [{ type: 'shiny', offset: 0, length: 1 }] },
      "400 Bad Request: can't parse MessageEntity: Unsupported type specified",
    ],
    [
      'button data of 65 bytes',
      'x',
      { reply_markup: { inline_keyboard: [[{ text: 'b', callback_data: 'é'.repeat(33) }]] } },
      '400 Bad Request: BUTTON_DATA_INVALID',
    ],
    [
      'a button that does nothing',
      'x',
      { reply_markup: { inline_keyboard: [[{ text: 'b' }]] } },
      "400 Bad Request: can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard",
    ],
    [
      'a button to a host without a dot',
      'x',
      { reply_markup: { inline_keyboard: [[{ text: 'b', url: 'http://localhost:8080/' }]] } },
      "400 Bad Request: inline keyboard button URL 'http://localhost:8080/' is invalid: Wrong HTTP URL",
    ],
    [
      'a quotation of nothing',
      'x',
      { reply_parameters: { message_id: 1 } },
      '400 Bad Request: message to be replied not found',
    ],
  ])('refuses %s', async (_what, text, extra, refusal) => {
    expect(await refusalOf(fixture.telegram.sendMessage(administrator, text, extra as object))).toBe(refusal);
  });

  it('takes 4,096 units, and button data of 64 bytes', async () => {
    const sent = await fixture.telegram.sendMessage(administrator, `${'x'.repeat(4094)}😀  \n`, {
      reply_markup: { inline_keyboard: [[{ text: 'b', callback_data: 'é'.repeat(32) }]] },
    });
    expect(sent.text).toHaveLength(4096);
  });

  it('refuses people it cannot reach', async () => {
    const { telegram, client } = fixture;
    expect(await refusalOf(telegram.sendMessage(424242, 'x'))).toBe('400 Bad Request: chat not found');
    expect(await refusalOf(telegram.sendMessage(1004, 'x'))).toBe(
      "403 Forbidden: bot can't initiate conversation with a user",
    );
    const ben = client.person(1002);
    await ben.send('hello');
    await ben.block();
    const blocked = '403 Forbidden: bot was blocked by the user';
    expect(await refusalOf(telegram.sendMessage(1002, 'x'))).toBe(blocked);
    expect(await refusalOf(telegram.sendChatAction(1002, 'typing'))).toBe(blocked);
    await ben.unblock();
    await telegram.sendMessage(1002, 'welcome back');
  });
});

describe('editing', () => {
  const send = (text = 'Creating…') =>
    fixture.telegram.sendMessage(administrator, text, {
      reply_markup: { inline_keyboard: [[{ text: 'Cancel', callback_data: 'cancel' }]] },
    });
  const editText = (id: number, text: string, extra = {}) =>
    fixture.telegram.editMessageText(administrator, id, undefined, text, extra);

  it('changes text and takes buttons away that are not given again', async () => {
    const { message_id } = await send();
    const edited = await editText(message_id, 'Running');
    expect(edited).toMatchObject({ text: 'Running', edit_date: expect.any(Number) });
    expect(edited).not.toHaveProperty('reply_markup');
    const seen = await ada().waitForMessage(({ id, edits }) => id === message_id && edits === 1);
    expect(seen).toMatchObject({ text: 'Running', buttons: [] });
    expect(seen.revisions).toHaveLength(2);
    const revisions = await fixture.client.revisions(seen);
    expect(revisions.map(({ text }) => text)).toEqual(['Creating…', 'Running']);
  });

  it('changes buttons alone', async () => {
    const { message_id } = await send();
    const edited = await fixture.telegram.editMessageReplyMarkup(administrator, message_id, undefined, {
      inline_keyboard: [[{ text: 'Stop', callback_data: 'stop' }]],
    });
    expect(edited).toMatchObject({ text: 'Creating…' });
    expect(edited).toHaveProperty('reply_markup.inline_keyboard.0.0.text', 'Stop');
  });

  it('refuses an edit that changes nothing', async () => {
    const { message_id } = await send();
    const notModified =
      '400 Bad Request: message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message';
    const same = { reply_markup: { inline_keyboard: [[{ text: 'Cancel', callback_data: 'cancel' }]] } };
    expect(await refusalOf(editText(message_id, 'Creating…', same))).toBe(notModified);
    expect(
      await refusalOf(
        fixture.telegram.editMessageReplyMarkup(administrator, message_id, undefined, same.reply_markup),
      ),
    ).toBe(notModified);
    await editText(message_id, 'Creating…');
  });

  it('refuses messages that are not there, not its own, or of another kind', async () => {
    const theirs = await ada().send('mine');
    expect(await refusalOf(editText(1, 'x'))).toBe('400 Bad Request: message to edit not found');
    expect(await refusalOf(editText(theirs.id, 'x'))).toBe("400 Bad Request: message can't be edited");
    const { message_id } = await send();
    expect(
      await refusalOf(fixture.telegram.editMessageCaption(administrator, message_id, undefined, 'x')),
    ).toBe('400 Bad Request: there is no caption in the message to edit');
    expect(await refusalOf(editText(message_id, 'x'.repeat(4097)))).toBe(
      '400 Bad Request: message is too long',
    );
  });

  it('deletes a message once', async () => {
    const { message_id } = await send();
    expect(await fixture.telegram.deleteMessage(administrator, message_id)).toBe(true);
    expect(await refusalOf(fixture.telegram.deleteMessage(administrator, message_id))).toBe(
      '400 Bad Request: message to delete not found',
    );
    expect(await refusalOf(editText(message_id, 'x'))).toBe('400 Bad Request: message to edit not found');
  });
});

describe('files', () => {
  it('takes an upload, gives the same bytes back, and sends it again by its id', async () => {
    const bytes = Buffer.from('line\n'.repeat(50_000));
    const sent = await fixture.telegram.sendDocument(
      administrator,
      { source: bytes, filename: 'output é.txt' },
      {
        caption: 'The <b>last</b> lines',
        parse_mode: 'HTML',
        reply_markup: { inline_keyboard: [[{ text: 'Again', callback_data: 'again' }]] },
      },
    );
    expect(sent).toMatchObject({
      document: { file_name: 'output é.txt', file_size: bytes.length },
      caption: 'The last lines',
      caption_entities: [{ type: 'bold', offset: 4, length: 4 }],
    });
    const seen = await ada().waitForMessage(({ id }) => id === sent.message_id);
    expect(Buffer.from(await fixture.client.download(seen)).equals(bytes)).toBe(true);

    const again = await fixture.telegram.sendDocument(administrator, sent.document.file_id);
    expect(again.document.file_id).toBe(sent.document.file_id);
    const { file_path } = await fixture.telegram.getFile(sent.document.file_id);
    const response = await fetch(`${fixture.url}/file/bot${testToken}/${file_path}`);
    expect(Buffer.from(await response.arrayBuffer()).equals(bytes)).toBe(true);

    const edited = await fixture.telegram.editMessageCaption(
      administrator,
      sent.message_id,
      undefined,
      'new',
    );
    expect(edited).toMatchObject({ caption: 'new' });
    expect(
      await refusalOf(fixture.telegram.editMessageText(administrator, sent.message_id, undefined, 'x')),
    ).toBe('400 Bad Request: there is no text in the message to edit');
  });

  it('takes entities of a caption in a multipart upload', async () => {
    const caption = fmt`exit ${code`0`} ${link('more', 'https://example.org/')}`;
    const sent = await fixture.telegram.sendDocument(
      administrator,
      { source: Buffer.from('x'), filename: 'x.bin' },
      { caption },
    );
    expect(sent.caption_entities?.map(({ type }) => type)).toEqual(['code', 'text_link']);
  });

  it('takes a photo, and tells a picture from something else', async () => {
    const photo = await ada().sendPhoto({ caption: 'look' });
    const bytes = Buffer.from(await fixture.client.download(photo));
    const sent = await fixture.telegram.sendPhoto(administrator, { source: bytes }, { caption: 'back' });
    expect(sent.photo[0]).toMatchObject({ width: 8, height: 8 });
    expect(
      await refusalOf(fixture.telegram.sendPhoto(administrator, { source: Buffer.from('no picture') })),
    ).toBe('400 Bad Request: IMAGE_PROCESS_FAILED');
  });

  it('refuses what is no file, and captions of more than 1,024 units', async () => {
    const { telegram } = fixture;
    expect(await refusalOf(telegram.sendDocument(administrator, 'nonsense'))).toBe(
      '400 Bad Request: wrong file identifier/HTTP URL specified',
    );
    expect(await refusalOf(telegram.sendDocument(administrator, { source: Buffer.alloc(0) }))).toMatch(
      /^400/,
    );
    const source = Buffer.from('x');
    expect(
      await refusalOf(telegram.sendDocument(administrator, { source }, { caption: 'x'.repeat(1025) })),
    ).toBe('400 Bad Request: message caption is too long');
    expect(await refusalOf(telegram.getFile('nonsense'))).toBe('400 Bad Request: invalid file_id');
  });
});
