import { createHash } from 'node:crypto';
import { botClaim, keepClaim } from '../../queues/claims.ts';
import { whenReady } from '../../queues/connection.ts';
import type { Producer } from '../../queues/producer.ts';
import { type Lifecycle, withDeadline } from '../../shared/lifecycle.ts';
import type { Log } from '../../shared/log.ts';
import type { Store } from './store/store.ts';

/**
 * Two bots with different databases on one Redis and under one INSTANCE would take each other's reports, and each other's
 * VMs for nobody's. (Two on the same database are kept apart by its lock, two with the same token by Telegram.)
 */
export class AnotherBotError extends Error {
  override name = 'AnotherBotError';

  constructor(instance: string) {
    super(
      `A bot with another database uses this Redis as INSTANCE=${instance}. Stop that one, or give this one an INSTANCE or a REDIS_URL of its own. (After a crash of the other, its claim lapses within 30 s.)`,
    );
  }
}

/** The same for a database wherever it lies, and for no other: its first event. */
const identityOf = async ({ db }: Pick<Store, 'db'>): Promise<string> => {
  const first = await db
    .selectFrom('events')
    .selectAll()
    .orderBy('position')
    .limit(1)
    .executeTakeFirstOrThrow();
  return createHash('sha256').update(JSON.stringify(first)).digest('base64url').slice(0, 22);
};

type Dependencies = {
  store: Pick<Store, 'db'>;
  producer: Pick<Producer, 'redis'>;
  instance: string;
  lifecycle: Lifecycle;
  log: Log;
};

/** Milliseconds. Without Redis the bot begins all the same, and claims when it is there. */
const patience = 1_000;

/** Throws AnotherBotError; ends this process with it where the other shows later. */
export const claimInstance = async (dependencies: Dependencies): Promise<void> => {
  const { store, producer, instance, lifecycle, log } = dependencies;
  const identity = await identityOf(store);
  await withDeadline(whenReady(producer.redis), patience, 'reaching Redis').catch((err) =>
    log.warn({ err }, 'Redis does not answer yet'),
  );
  let begun = false;
  let refused: AnotherBotError | undefined;
  const claim = await keepClaim(
    { redis: producer.redis, key: botClaim(instance), holder: () => identity, log },
    () => {
      refused = new AnotherBotError(instance);
      if (begun) lifecycle.fail(refused);
    },
  );
  lifecycle.onShutdown('claim', () => claim.close({ release: true }));
  if (refused !== undefined) throw refused;
  begun = true;
};
