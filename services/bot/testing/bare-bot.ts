import type { Update } from 'telegraf/types';
import { createLog } from '../../../shared/log.ts';
import { createVault } from '../../../shared/secrets/vault.ts';
import type { BotConfig, Toast } from '../conversation.ts';
import { createElapsed } from '../elapsed.ts';
import type { Content } from '../format/rich-text.ts';
import { createNotifications } from '../notifications.ts';
import { createProgressBoard } from '../progress-board.ts';
import { createRender } from '../render/render.ts';
import { createJobsPolicy } from '../store/policies/jobs.ts';
import { openStore, type Store } from '../store/store.ts';
import { createUpdateHandler } from '../update-handler.ts';

/**
 * A bot over a real database, without Telegram, Redis and Docker: it is told updates, and tells all that came of each.
 */

export const administratorId = 1001;
const groupId = -500;
const config: BotConfig = {
  INSTANCE: 'test',
  ADMIN_USER_ID: [administratorId],
  HOST_ID: 'h1',
  SSH_PORT_RANGE: { first: 22_000, last: 22_099 },
  SSH_PUBLIC_HOST: 'localhost',
  EXEC_TIMEOUT: 5,
};
const noHosts = {
  workers: () => [],
  factsOf: () => null,
  gpuOf: () => null,
  queuesOf: () => [],
  gateways: () => [],
  troubleOf: () => null,
  redis: () => 'answers' as const,
};
const log = createLog('test', 'silent');
/** When its time begins. */
export const start = Date.parse('2026-01-02T03:04:05.000Z');

export type Place = 'private' | 'group';
export type Heard = { chatId: number; content: Content };

export const textOf = ({ content }: Heard): string => content.text;
export const dataOf = ({ content }: Heard): string[] =>
  content.buttons.flat().flatMap((button) => ('data' in button ? [button.data] : []));

export const openBareBot = async (dataDir: string) => {
  const vault = createVault(Buffer.alloc(32, 1));
  // A millisecond for every update, so that what came first is known.
  let updates = 0;
  const now = () => new Date(start + updates);
  const policies = [createJobsPolicy({ vault }), createNotifications(config.ADMIN_USER_ID)];
  const store: Store = await openStore({ dataDir, log, policies, now });
  const rendering = {
    db: store.db,
    vault,
    config,
    hosts: noHosts,
    terminals: { countOf: () => 1 },
    now: () => now().getTime(),
  };
  const render = createRender({ ...rendering, board: createProgressBoard(), elapsed: createElapsed() });
  let toast: Toast | null = null;
  let asked = 0;
  updates = (await store.db.selectFrom('updates').selectAll().execute()).length;
  const ask = () => {
    asked += 1;
  };
  const handle = createUpdateHandler({
    store,
    vault,
    config,
    bot: { id: 7, username: 'berth_bot' },
    hosts: noHosts,
    log,
    answerCallback: (_id, answer) => {
      toast = answer;
    },
    showTyping: () => undefined,
    measure: ask,
    lookAtHosts: ask,
    probeGpu: ask,
    deleteMessage: () => undefined,
    closeTerminals: ask,
    onReachable: () => undefined,
    onUnreachable: () => undefined,
    now,
  });

  const positions = async () => {
    const { last } = await store.db
      .selectFrom('events')
      .select(({ fn }) => fn.max('position').as('last'))
      .executeTakeFirstOrThrow();
    return Number(last ?? 0);
  };
  const revisions = async () =>
    new Map(
      (await store.db.selectFrom('messages').select(['key', 'revision']).execute()).map((row) => [
        row.key,
        row.revision,
      ]),
    );
  const counts = async () => {
    const tables = ['outbox', 'sealed_values', 'vms', 'operations', 'ssh_keys'] as const;
    return Promise.all(
      tables.map(async (table) => (await store.db.selectFrom(table).selectAll().execute()).length),
    );
  };

  const everythingShown = async (): Promise<Heard[]> => {
    const heard: Heard[] = [];
    for (const { chat_id: chatId, view } of await store.db.selectFrom('messages').selectAll().execute()) {
      const content = await render(JSON.parse(view));
      if (content !== null) heard.push({ chatId, content });
    }
    return heard;
  };

  /** Everything that one update leads to: events, what chats read, the toast, and questions to hosts. */
  const act = async (update: (id: number) => unknown) => {
    toast = null;
    asked = 0;
    updates += 1;
    const [position, before, countsBefore] = [await positions(), await revisions(), await counts()];
    await handle(update(updates) as Update);
    const rows = await store.db.selectFrom('messages').selectAll().orderBy('created_at').execute();
    const heard: Heard[] = [];
    for (const { key, revision, chat_id: chatId, view } of rows) {
      if (before.get(key) === revision) continue;
      const content = await render(JSON.parse(view));
      if (content !== null) heard.push({ chatId, content });
    }
    const events = await store.db
      .selectFrom('events')
      .select(['stream', 'type'])
      .where('position', '>', position)
      .execute();
    const changed = JSON.stringify(await counts()) !== JSON.stringify(countsBefore);
    return { events, heard, toast: toast as Toast | null, asked, changed, texts: heard.map(textOf) };
  };

  const from = (id: number) => ({ id, is_bot: false, first_name: `P${id}` });
  const chatOf = (id: number, place: Place) =>
    place === 'private' ? { id, type: 'private' } : { id: groupId, type: 'supergroup', title: 'All' };
  return {
    store,
    vault,
    /** An update as it comes, and nothing of what comes of it. */
    handle,
    everythingShown,
    say: (id: number, text: string, place: Place = 'private') =>
      act((update_id) => ({
        update_id,
        message: { message_id: update_id, date: 0, chat: chatOf(id, place), from: from(id), text },
      })),
    press: (id: number, data: string, place: Place = 'private') =>
      act((update_id) => ({
        update_id,
        callback_query: {
          id: `q${update_id}`,
          from: from(id),
          chat_instance: '1',
          data,
          message: { message_id: 1, date: 0, chat: chatOf(id, place) },
        },
      })),
  };
};

export type BareBot = Awaited<ReturnType<typeof openBareBot>>;
export type Outcome = Awaited<ReturnType<BareBot['say']>>;
