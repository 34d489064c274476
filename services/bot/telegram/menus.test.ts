import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createLog } from '../../../shared/log.ts';
import { type Fixture, openFixture, testToken } from '../../practice/testing/fixture.ts';
import { answerCallback, showTyping } from './callbacks.ts';
import { type Api, createApi } from './client.ts';
import { type Menu, registerMenu } from './menus.ts';

const log = createLog('test', 'silent');
const ada = 1001;

let fixture: Fixture;
let api: Api;
let stopping: AbortController;

beforeEach(async () => {
  fixture = await openFixture();
  await fixture.client.person(ada).send('/start');
  api = createApi({ token: testToken, apiRoot: fixture.url });
  stopping = new AbortController();
});
afterEach(async () => {
  stopping.abort();
  api.close();
  await fixture.close();
});

const menu = (scope: Menu['scope'], ...names: string[]): Menu => ({
  scope,
  commands: names.map((command) => ({ command, description: `What ${command} does` })),
});
const everywhere = { type: 'default' } as const;
const inChat = (chat_id: number) => ({ type: 'chat', chat_id }) as const;
const register = (wanted: Menu, by = api) => registerMenu({ api: by, log, signal: stopping.signal }, wanted);
const callsOf = async (method: string) =>
  (await fixture.client.calls()).filter((call) => call.method === method);
const shown = async (id = ada) => (await fixture.client.person(id).commands()).map(({ command }) => command);

describe('a command menu', () => {
  it('is registered for everybody, and another one for a chat', async () => {
    await register(menu(everywhere, 'help'));
    await register(menu(inChat(ada), 'help', 'admin_info'));
    expect(await shown()).toEqual(['help', 'admin_info']);
    expect(await shown(1002)).toEqual(['help']);
  });

  it('is asked for once however often it is wanted, and set only where it differs', async () => {
    await Promise.all([1, 2, 3].map(() => register(menu(everywhere, 'help'))));
    await register(menu(everywhere, 'help'));
    expect(await callsOf('getMyCommands')).toHaveLength(1);
    expect(await callsOf('setMyCommands')).toHaveLength(1);
    await register(menu(everywhere, 'help'), createApi({ token: testToken, apiRoot: fixture.url }));
    expect(await callsOf('getMyCommands')).toHaveLength(2);
    expect(await callsOf('setMyCommands')).toHaveLength(1);
  });

  it('that changes replaces the one before, in whatever order they were asked for at once', async () => {
    const first = register(menu(everywhere, 'help'));
    const second = register(menu(everywhere, 'help', 'plans'));
    await Promise.all([first, second]);
    expect(await shown()).toEqual(['help', 'plans']);
  });

  it('is tried again while Telegram is out', async () => {
    await fixture.client.fault({ kind: 'server-error', method: 'setMyCommands', times: 1 });
    await register(menu(everywhere, 'help'));
    expect(await shown()).toEqual(['help']);
  });

  it('of somebody who has not written yet is registered when it is asked for again', async () => {
    await register(menu(inChat(1003), 'help'));
    expect(await shown(1003)).toEqual([]);
    await fixture.client.person(1003).send('/start');
    await register(menu(inChat(1003), 'help'));
    expect(await shown(1003)).toEqual(['help']);
  });
});

describe('a pressed button', () => {
  const press = async () => {
    const sent = await fixture.telegram.sendMessage(ada, 'Go?', {
      reply_markup: { inline_keyboard: [[{ text: 'Go', callback_data: 'go' }]] },
    });
    const message = await fixture.client.person(ada).waitForMessage(({ id }) => id === sent.message_id);
    return fixture.client.person(ada).press(message, 'Go');
  };

  it('is answered, with a text that is cut to what Telegram takes', async () => {
    const queryId = await press();
    await answerCallback({ api, log }, queryId, { text: '🚀'.repeat(300), alert: true });
    await vi.waitFor(() => expect(fixture.client.callbackAnswers()).toHaveLength(1));
    const [answer] = fixture.client.callbackAnswers();
    expect(answer).toMatchObject({ queryId, showAlert: true });
    expect(answer!.text!.length).toBeLessThanOrEqual(200);
  });

  it('that is unknown or too old, and a chat that is closed, harm nothing', async () => {
    await answerCallback({ api, log }, '12345', null);
    await answerCallback({ api, log }, await press(), null);
    await answerCallback({ api, log }, '12345', { text: 'late', alert: false });
    await showTyping({ api, log }, 999);
    expect(fixture.client.callbackAnswers()).toHaveLength(1);
  });
});
