import { onTestFinished } from 'vitest';
import { createLog } from '../../../../shared/log.ts';
import { type Content, FmtString, plain } from '../../format/rich-text.ts';
import type { MessageRow } from '../../store/schema.ts';
import type { Store } from '../../store/store.ts';
import { openTestStore } from '../../store/testing/store.ts';
import type { View } from '../../view.ts';
import { type Api, createApi } from '../client.ts';
import { type Post, post } from '../messages.ts';
import { createSender, type Sender } from '../sender.ts';

/** A sender on a database of its own, and a hand that posts into it. */

export type Sending = {
  sender: Sender;
  store: Store;
  api: Api;
  /** Posts in a transaction; the commit wakes the sender. A text stands for a message of that text. */
  say(key: string, chatId: number, what: string | Content, options?: Partial<Post>): Promise<void>;
  row(key: string): Promise<MessageRow>;
  /** Ends this sender and starts another one on the same database, as a restart does. */
  restart(): Promise<void>;
};

export type Render = (view: View) => Promise<Content | null>;

export const contentOf = (what: string | Content): Content =>
  typeof what === 'string' ? plain(new FmtString(what)) : what;

const renderContent: Render = async (view) => (view.kind === 'content' ? view.content : null);

export const openSending = async (
  bot: { token: string; apiRoot: string; usualDeadline?: number },
  { render = renderContent, store: given }: { render?: Render; store?: Store } = {},
): Promise<Sending> => {
  const store = given ?? (await openTestStore());
  const api = createApi(bot);
  const start = () => createSender({ db: store.db, api, render, log: createLog('test', 'silent') });
  const sending: Sending = {
    sender: start(),
    store,
    api,
    say: (key, chatId, what, options) =>
      store.transaction((trx) =>
        post(trx, { key, chatId, view: { kind: 'content', content: contentOf(what) }, ...options }),
      ),
    row: (key) =>
      store.db.selectFrom('messages').selectAll().where('key', '=', key).executeTakeFirstOrThrow(),
    async restart() {
      await sending.sender.close();
      sending.sender = start();
    },
  };
  store.onCommitted(() => sending.sender.wake());
  onTestFinished(async () => {
    api.close();
    await sending.sender.close();
  });
  return sending;
};
