import { Telegraf } from 'telegraf';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { administrator, type Fixture, openFixture, refusalOf, testToken } from '../testing/fixture.ts';

let fixture: Fixture;

beforeAll(async () => {
  fixture = await openFixture();
  await fixture.client.person(administrator).send('/start');
});
afterAll(() => fixture.close());

const post = (path: string, init: RequestInit = {}) =>
  fetch(`${fixture.url}${path}`, { method: 'POST', ...init });

describe('calls', () => {
  it('says who the bot is', async () => {
    expect(await fixture.telegram.getMe()).toMatchObject({
      id: 1000000,
      is_bot: true,
      username: 'berth_practice_bot',
    });
  });

  it('refuses a token that is not the one of this chat', async () => {
    const stranger = new Telegraf('1000000:somebody-elses-token', { telegram: { apiRoot: fixture.url } });
    expect(await refusalOf(stranger.telegram.getMe())).toBe('401 Unauthorized');
    const response = await post('/bot1000000:somebody-elses-token/getMe');
    expect(response.status).toBe(401);
    expect(await response.json()).toEqual({ ok: false, error_code: 401, description: 'Unauthorized' });
    expect((await post('/botnonsense/getMe')).status).toBe(404);
  });

  it('refuses a method nobody knows', async () => {
    expect(await refusalOf(fixture.telegram.callApi('sendLove' as 'getMe', {}))).toBe(
      '404 Not Found: method not found',
    );
  });

  it('takes parameters from a query, a form, JSON and multipart alike, whatever the case of the name', async () => {
    const keyboard = JSON.stringify({ inline_keyboard: [[{ text: 'b', callback_data: 'd' }]] });
    const fields = { chat_id: String(administrator), text: 'same', reply_markup: keyboard };
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.set(name, value);
    const path = `/bot${testToken}/SendMessage`;
    const responses = await Promise.all([
      fetch(`${fixture.url}${path}?${new URLSearchParams(fields)}`),
      post(path, { body: new URLSearchParams(fields) }),
      post(path, { body: JSON.stringify(fields), headers: { 'content-type': 'application/json' } }),
      post(path, { body: form }),
    ]);
    for (const response of responses) {
      expect(await response.json()).toMatchObject({
        ok: true,
        result: { text: 'same', reply_markup: { inline_keyboard: [[{ callback_data: 'd' }]] } },
      });
    }
  });

  it('answers a body it cannot read with 400, in the form of the Bot API', async () => {
    const headers = { 'content-type': 'application/json' };
    const response = await post(`/bot${testToken}/sendMessage`, { body: '{"chat_id":', headers });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ ok: false, error_code: 400 });
    const empty = await post(`/bot${testToken}/sendMessage`);
    expect(await empty.json()).toMatchObject({ description: 'Bad Request: chat_id is empty' });
  });

  it('will not deliver to a webhook', async () => {
    expect(await refusalOf(fixture.telegram.setWebhook('https://example.org/hook'))).toMatch(
      /^400 Bad Request: bad webhook/,
    );
    expect(await fixture.telegram.deleteWebhook()).toBe(true);
    expect(await fixture.telegram.getWebhookInfo()).toMatchObject({ url: '' });
  });

  it('shows a chat action to those who watch', async () => {
    const seen = fixture.client.waitForEvent(({ type }) => type === 'chat-action');
    await fixture.telegram.sendChatAction(administrator, 'typing');
    expect(await seen).toEqual({ type: 'chat-action', chatId: administrator, action: 'typing' });
    expect(await refusalOf(fixture.telegram.sendChatAction(administrator, 'dancing' as 'typing'))).toBe(
      '400 Bad Request: wrong parameter action in request',
    );
  });

  it('describes chats and members', async () => {
    expect(await fixture.telegram.getChat(administrator)).toMatchObject({
      type: 'private',
      first_name: 'Ada',
    });
    expect(await refusalOf(fixture.telegram.getChat(77))).toBe('400 Bad Request: chat not found');
    const group = await fixture.client.createGroup({
      title: 'Crew',
      members: [1002],
      administrators: [1001],
    });
    expect(await fixture.telegram.getChat(group.id)).toMatchObject({ type: 'supergroup', title: 'Crew' });
    expect(await fixture.telegram.getChatMember(group.id, 1001)).toMatchObject({ status: 'creator' });
    expect(await fixture.telegram.getChatMember(group.id, 1002)).toMatchObject({ status: 'member' });
    expect(await fixture.telegram.getChatMember(group.id, 1003)).toMatchObject({ status: 'left' });
  });

  it('keeps what the bot says about itself', async () => {
    await fixture.telegram.setMyDescription('Machines by chat');
    await fixture.telegram.setMyShortDescription('Machines');
    expect(await fixture.telegram.getMyDescription()).toEqual({ description: 'Machines by chat' });
  });
});

describe('the command menu', () => {
  const users = [{ command: 'create', description: 'Create a machine' }];
  const administrators = [...users, { command: 'admin_info', description: 'Everything' }];

  it('shows each person the narrowest list that is set', async () => {
    const { telegram, client } = fixture;
    const scope = { type: 'chat', chat_id: administrator } as const;
    await telegram.setMyCommands(users);
    await telegram.setMyCommands(administrators, { scope });
    expect(await client.person(administrator).commands()).toEqual(administrators);
    expect(await client.person(1002).commands()).toEqual(users);
    expect(await telegram.getMyCommands({ scope })).toEqual(administrators);

    await telegram.deleteMyCommands({ scope });
    expect(await client.person(administrator).commands()).toEqual(users);
    await telegram.setMyCommands([], { scope: { type: 'all_private_chats' } });
    expect(await client.person(administrator).commands()).toEqual(users);
  });

  it('refuses names that are none, and chats the bot never met', async () => {
    const { telegram } = fixture;
    expect(await refusalOf(telegram.setMyCommands([{ command: 'Bad-Name', description: 'x' }]))).toBe(
      '400 Bad Request: BOT_COMMAND_INVALID',
    );
    expect(await refusalOf(telegram.setMyCommands([{ command: 'ok', description: '' }]))).toBe(
      '400 Bad Request: BOT_COMMAND_DESCRIPTION_INVALID',
    );
    const unmet = { scope: { type: 'chat', chat_id: 1004 } } as const;
    expect(await refusalOf(telegram.setMyCommands(users, unmet))).toBe('400 Bad Request: chat not found');
  });
});

describe('who may come in', () => {
  it('turns other sites and foreign host names away', async () => {
    const foreign = await fetch(`${fixture.url}/practice/people`, {
      headers: { origin: 'https://evil.example' },
    });
    expect(foreign.status).toBe(403);
    const fetched = await fetch(`${fixture.url}/bot${testToken}/getMe`, {
      headers: { 'sec-fetch-site': 'cross-site' },
    });
    expect(fetched.status).toBe(403);
    const rebound = await fixture.server.app.inject({
      url: '/practice/people',
      headers: { host: 'evil.example:80' },
    });
    expect(rebound.statusCode).toBe(403);
    const own = await fetch(`${fixture.url}/practice/people`, { headers: { origin: fixture.url } });
    expect(own.status).toBe(200);
  });
});
