import { withDeadline } from '../../shared/lifecycle.ts';
import type { Log } from '../../shared/log.ts';
import { plain } from './format/rich-text.ts';
import { newId } from './new-id.ts';
import type { Store } from './store/store.ts';
import { post } from './telegram/messages.ts';
import { outageBegan, outageEnded } from './texts/outages.ts';
import type { Trouble, Troubles } from './troubles.ts';

/**
 * Tells the administrators of an outage, once, and once that it is over; whoever waits for something sees it in the message
 * of that. What has been told is read from the messages themselves, so that a restart in between repeats nothing.
 */

type Dependencies = {
  store: Pick<Store, 'db' | 'transaction'>;
  troubles: Troubles;
  hosts: readonly string[];
  administrators: readonly number[];
  log: Log;
  now?: () => number;
};

/** Milliseconds. What is over sooner, as a restart of Docker, is not worth a message. */
const worthTelling = 10_000;
const every = 1_000;

/** `since` is null where it began before this process did. */
type Told = { trouble: Trouble; id: string; since: number | null };

const redis = 'redis';
const keyOf = (name: string, { trouble, id }: Told): string => `outage:${name}:${trouble}:${id}`;
const overKeyOf = (name: string, told: Told): string => `over:${keyOf(name, told)}`;

export const createOutageNotices = (dependencies: Dependencies) => {
  const { store, troubles, hosts, administrators, log, now = () => performance.now() } = dependencies;
  const began = new Map<string, { trouble: Trouble; at: number }>();
  let told: Map<string, Told> | undefined;

  const readTold = async (): Promise<Map<string, Told>> => {
    const rows = await store.db
      .selectFrom('messages')
      .select('key')
      .where((eb) => eb.or([eb('key', 'like', 'outage:%'), eb('key', 'like', 'over:outage:%')]))
      .orderBy('created_at')
      .execute();
    const keys = new Set(rows.map(({ key }) => key));
    const open = new Map<string, Told>();
    for (const key of keys) {
      const [kind, name, trouble, id, chat] = key.split(':');
      if (kind !== 'outage' || keys.has(`over:${key}`) || chat === undefined) continue;
      open.set(name!, { trouble: trouble as Trouble, id: id!, since: null });
    }
    return open;
  };

  const tell = async (key: string, content: ReturnType<typeof plain>): Promise<void> => {
    await store.transaction(async (trx) => {
      for (const chatId of administrators)
        await post(trx, { key: `${key}:${chatId}`, chatId, view: { kind: 'content', content } });
    });
  };

  const follow = async (name: string, host: string | null, trouble: Trouble | null): Promise<void> => {
    told ??= await readTold();
    const before = told.get(name);
    if (before !== undefined && before.trouble !== trouble) {
      const lasted = before.since === null ? null : now() - before.since;
      await tell(overKeyOf(name, before), plain(outageEnded(before.trouble, host, lasted)));
      told.delete(name);
    }
    if (trouble === null) {
      began.delete(name);
      return;
    }
    if (began.get(name)?.trouble !== trouble) began.set(name, { trouble, at: now() });
    const since = began.get(name)!.at;
    if (told.has(name) || now() - since < worthTelling) return;
    const outage: Told = { trouble, id: newId(), since };
    await tell(keyOf(name, outage), plain(outageBegan(trouble, host)));
    told.set(name, outage);
    log.warn({ trouble, host }, 'the administrators are told of an outage');
  };

  const look = async (): Promise<void> => {
    const state = troubles.redis();
    await follow(redis, null, state === 'answers' ? null : state);
    // Without Redis nothing new is known of the hosts.
    if (state !== 'answers') return;
    for (const host of hosts) await follow(`host ${host}`, host, troubles.of(host));
  };

  let looking: Promise<void> = Promise.resolve();
  let busy = false;
  const lookSafely = (): Promise<void> => {
    if (busy) return looking;
    busy = true;
    looking = look()
      .catch((err) => log.debug({ err }, 'an outage could not be told of yet'))
      .finally(() => {
        busy = false;
      });
    return looking;
  };
  const timer = setInterval(lookSafely, every);

  return {
    look: lookSafely,
    async close(): Promise<void> {
      clearInterval(timer);
      await withDeadline(looking, 3_000, 'telling of outages').catch((err) => log.debug({ err }, 'left'));
    },
  };
};
