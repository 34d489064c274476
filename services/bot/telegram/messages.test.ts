import { describe, expect, it } from 'vitest';
import { openTestStore } from '../store/testing/store.ts';
import { forgetOldMessages, type Post, post } from './messages.ts';
import { contentOf } from './testing/sending.ts';

const open = async () => {
  const store = await openTestStore();
  const write = (wanted: Partial<Post> & { text?: string } = {}) => {
    const { text = 'hello', ...rest } = wanted;
    return store.transaction((trx) =>
      post(trx, { key: 'k', chatId: 7, view: { kind: 'content', content: contentOf(text) }, ...rest }),
    );
  };
  const row = (key = 'k') =>
    store.db.selectFrom('messages').selectAll().where('key', '=', key).executeTakeFirst();
  const change = (changes: object) => store.db.updateTable('messages').set(changes).execute();
  return { store, write, row, change };
};

describe('a posted message', () => {
  it('waits to be delivered', async () => {
    const { write, row } = await open();
    await write({ replyTo: 12 });
    expect(await row()).toMatchObject({
      chat_id: 7,
      revision: 1,
      delivered_revision: 0,
      message_id: null,
      reply_to: 12,
      state: 'open',
    });
  });

  it('is edited by the same key with another view, and unchanged by the same view', async () => {
    const { write, row } = await open();
    await write();
    await write();
    expect((await row())?.revision).toBe(1);
    await write({ text: 'other' });
    expect((await row())?.revision).toBe(2);
  });

  it('is delivered anew with the same view when that shows something new', async () => {
    const { write, row } = await open();
    await write();
    await write({ bump: true });
    expect((await row())?.revision).toBe(2);
  });

  it('has another chance with a new revision, although an earlier one could not be delivered', async () => {
    const { write, row, change } = await open();
    await write();
    await change({ state: 'undeliverable', attempts: 9 });
    await write({ text: 'other' });
    expect(await row()).toMatchObject({ state: 'open', attempts: 0, revision: 2 });
  });
});

it('old messages are forgotten, young ones kept', async () => {
  const { store, write, row, change } = await open();
  await write({ key: 'old' });
  await change({ updated_at: '2026-01-01T00:00:00.000Z' });
  await write({ key: 'young' });
  await store.transaction((trx) => forgetOldMessages(trx, '2026-02-01T00:00:00.000Z'));
  expect(await row('old')).toBeUndefined();
  expect(await row('young')).toBeDefined();
});
