import { TelegramError } from 'telegraf';
import { describe, expect, it } from 'vitest';
import { DeadlineError } from '../../../shared/lifecycle.ts';
import { readRefusal } from './refusals.ts';

const secret = 'the text of somebody';
const refusal = (error_code: number, description: string, parameters = {}) =>
  readRefusal(
    new TelegramError({ error_code, description, parameters }, { method: 'sendMessage', payload: secret }),
  );

describe('an error of Telegram means', () => {
  it.each([
    [400, 'Bad Request: message is not modified: specified new message …', 'not-modified'],
    [400, 'Bad Request: message to edit not found', 'message-gone'],
    [400, "Bad Request: message can't be edited", 'message-gone'],
    [400, "Bad Request: can't parse entities: Unsupported start tag", 'bad-formatting'],
    [400, 'Bad Request: ENTITY_BOUNDS_INVALID', 'bad-formatting'],
    [400, 'Bad Request: BUTTON_DATA_INVALID', 'bad-buttons'],
    [
      400,
      "Bad Request: inline keyboard button URL 'http://localhost' is invalid: Wrong HTTP URL",
      'bad-buttons',
    ],
    [400, 'Bad Request: chat not found', 'blocked'],
    [400, 'Bad Request: message is too long', 'rejected'],
    [403, 'Forbidden: bot was blocked by the user', 'blocked'],
    [403, 'Forbidden: user is deactivated', 'blocked'],
    [413, 'Request Entity Too Large', 'rejected'],
    [401, 'Unauthorized', 'transient'],
    [404, 'Not Found', 'transient'],
    [500, 'Internal Server Error', 'transient'],
    [502, 'Bad Gateway', 'transient'],
  ])('%i %s: %s', (code, description, kind) => {
    expect(refusal(code, description).kind).toBe(kind);
  });

  it('429: how long to wait, in milliseconds', () => {
    expect(refusal(429, 'Too Many Requests: retry after 7', { retry_after: 7 })).toEqual({
      kind: 'too-many',
      retryAfter: 7_000,
    });
  });

  it('something else than Telegram’s word: the way to it is out', () => {
    expect(readRefusal(new DeadlineError('sendMessage'))).toEqual({
      kind: 'transient',
      reason: 'DeadlineError',
    });
    expect(readRefusal(Object.assign(new Error('x'), { code: 'ECONNREFUSED' }))).toEqual({
      kind: 'transient',
      reason: 'ECONNREFUSED',
    });
  });

  it('never anything of what was sent', () => {
    for (const code of [400, 401, 403, 413, 429, 500]) {
      expect(JSON.stringify(refusal(code, 'whatever'))).not.toContain(secret);
    }
  });
});
