import fc from 'fast-check';
import type { Update } from 'telegraf/types';
import { describe, expect, it } from 'vitest';
import { interpret } from './interpret.ts';

const read = (update: unknown) => interpret(update as Update, 'BerthBot');
const from = { id: 42, is_bot: false, first_name: 'Ada', username: 'ada' };
const chat = { id: 42, type: 'private' };
const group = { id: -100, type: 'supergroup' };
const sender = { id: 42, firstName: 'Ada', username: 'ada' };
const place = { id: 42, isPrivate: true };
const said = (text: string, more: object = {}) =>
  read({ update_id: 1, message: { message_id: 7, date: 1, from, chat, text, ...more } });

describe('a command', () => {
  it.each([
    ['/create', 'create', ''],
    ['  /create  ', 'create', ''],
    ['/CREATE box', 'create', 'box'],
    ['/create@berthbot box', 'create', 'box'],
    ['/exec ls -la\n  | wc', 'exec', 'ls -la\n  | wc'],
    ['/exec\nls', 'exec', 'ls'],
    ['/exec echo /status', 'exec', 'echo /status'],
    ['/start_vm', 'start_vm', ''],
  ])('%j is understood', (text, name, argument) =>
    expect(said(text)).toEqual({ kind: 'command', from: sender, chat: place, messageId: 7, name, argument }),
  );

  it('for another bot is not for us in a group, and a slip in private', () => {
    expect(said('/create@OtherBot', { chat: group })).toEqual({ kind: 'nothing' });
    expect(said('/create@OtherBot')).toMatchObject({ kind: 'unreadable' });
  });

  it('in a group is one, with the group as its place', () =>
    expect(said('/status', { chat: group })).toMatchObject({
      kind: 'command',
      chat: { id: -100, isPrivate: false },
    }));

  it('of another bot, or of nobody, is nothing', () => {
    expect(said('/create', { from: { ...from, is_bot: true } })).toEqual({ kind: 'nothing' });
    expect(said('/create', { from: undefined })).toEqual({ kind: 'nothing' });
  });

  it('that was edited into being is left alone', () =>
    expect(read({ update_id: 1, edited_message: { message_id: 7, from, chat, text: '/create' } })).toEqual({
      kind: 'nothing',
    }));
});

describe('a public key by itself', () => {
  const line = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI ada@laptop';

  it('is taken for /ssh_key in private, and for people talking in a group', () => {
    expect(said(`${line}\n`)).toMatchObject({ kind: 'command', name: 'ssh_key', argument: line });
    expect(said(line, { chat: group })).toEqual({ kind: 'nothing' });
    expect(said(`my key is ${line}`)).toMatchObject({ kind: 'unreadable' });
  });
});

describe('anything else', () => {
  it.each(['hello', '/', '//', '/ create', '/créer', `/${'a'.repeat(33)}`, '/create-vm', 'do /create'])(
    '%j in private is unreadable',
    (text) => expect(said(text)).toMatchObject({ kind: 'unreadable', messageId: 7 }),
  );

  it('a picture in private is unreadable, the same in a group is nothing', () => {
    expect(said('', { text: undefined, photo: [] })).toMatchObject({ kind: 'unreadable' });
    expect(said('hello', { chat: group })).toEqual({ kind: 'nothing' });
  });

  it.each(['pinned_message', 'new_chat_members', 'left_chat_member', 'message_auto_delete_timer_changed'])(
    "Telegram's own line about %s is nothing",
    (field) => expect(said('', { text: undefined, [field]: {} })).toEqual({ kind: 'nothing' }),
  );
});

describe('a pressed button', () => {
  const pressed = (more: object) => read({ update_id: 1, callback_query: { id: 'q1', from, ...more } });

  it('brings what it carries and the message that it is under', () =>
    expect(pressed({ data: 'stop:k3j9x2a1:4', message: { message_id: 9, chat } })).toEqual({
      kind: 'button',
      from: sender,
      chat: place,
      messageId: 9,
      queryId: 'q1',
      data: 'stop:k3j9x2a1:4',
    }));

  it('may have no message and no data any more', () =>
    expect(pressed({})).toMatchObject({ kind: 'button', chat: null, messageId: null, data: '' }));

  it('of nobody is nothing', () => expect(pressed({ from: null })).toEqual({ kind: 'nothing' }));
});

describe('the bot itself', () => {
  const became = (status: string, where: object = chat) =>
    read({ update_id: 1, my_chat_member: { chat: where, from, new_chat_member: { status } } });

  it('blocked and unblocked in private is noticed', () => {
    expect(became('kicked')).toEqual({ kind: 'blocked', chat: place });
    expect(became('member')).toEqual({ kind: 'unblocked', chat: place });
  });

  it('added to or thrown out of a group is nothing', () => {
    expect(became('kicked', group)).toEqual({ kind: 'nothing' });
    expect(became('administrator')).toEqual({ kind: 'nothing' });
  });
});

describe('whatever comes', () => {
  const kinds = ['command', 'button', 'unreadable', 'blocked', 'unblocked', 'nothing'];

  it('any JSON at all is interpreted, never an error', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (update) => {
        expect(kinds).toContain(read(update).kind);
      }),
    );
  });

  it('an update with any field broken is interpreted, never an error', () => {
    const broken = <T>(good: fc.Arbitrary<T>) => fc.oneof({ weight: 3, arbitrary: good }, fc.jsonValue());
    const person = broken(
      fc.record(
        {
          id: broken(fc.maxSafeInteger()),
          is_bot: broken(fc.boolean()),
          first_name: broken(fc.string()),
          username: broken(fc.string()),
        },
        { requiredKeys: [] },
      ),
    );
    const where = broken(
      fc.record({ id: broken(fc.maxSafeInteger()), type: broken(fc.constantFrom('private', 'group')) }),
    );
    const text = broken(fc.string({ unit: 'binary' }).map((rest) => `/${rest}`));
    const message = broken(
      fc.record(
        { message_id: broken(fc.maxSafeInteger()), from: person, chat: where, text },
        { requiredKeys: [] },
      ),
    );
    const query = broken(
      fc.record({ id: broken(fc.string()), from: person, message, data: text }, { requiredKeys: [] }),
    );
    const membership = broken(
      fc.record({ chat: where, new_chat_member: broken(fc.record({ status: broken(fc.string()) })) }),
    );
    fc.assert(
      fc.property(
        fc.record({ message, callback_query: query, my_chat_member: membership }, { requiredKeys: [] }),
        (update) => {
          const incoming = read(update);
          expect(kinds).toContain(incoming.kind);
          // What comes through is of the shape that the rest of the bot relies on.
          if ('from' in incoming) expect(Number.isSafeInteger(incoming.from.id)).toBe(true);
          if ('chat' in incoming && incoming.chat) expect(Number.isSafeInteger(incoming.chat.id)).toBe(true);
          if (incoming.kind === 'command') expect(incoming.name).toMatch(/^[a-z0-9_]{1,32}$/);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('a very long line of white space takes no time', () => {
    const begun = performance.now();
    said(`/exec${' '.repeat(100_000)}x`);
    said(`/exec@${'a'.repeat(100_000)} `);
    expect(performance.now() - begun).toBeLessThan(500);
  });
});
