import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Kysely, type Transaction } from 'kysely';
import type { Decider } from '../../../shared/decider.ts';
import { append, readStream } from '../../../shared/event-store/append.ts';
import type { Event, Metadata } from '../../../shared/event-store/schema.ts';
import { sideEffect } from '../../../shared/failpoint.ts';
import type { Log } from '../../../shared/log.ts';
import { asTransaction, refuseBeside, refusesBeside } from './beside.ts';
import { ImmediateSqliteDialect, openSqlite } from './dialect.ts';
import type { DomainEvent } from './domain-event.ts';
import { defineFirstPlans } from './first-plans.ts';
import { createFoldedStates, type Fresh } from './folded-states.ts';
import { keepCopy } from './kept-copies.ts';
import { lockStore } from './lock.ts';
import { migrate, migrations, pendingMigrations, refuseNewer } from './migrations.ts';
import { makePrivate } from './private-file.ts';
import { bringProjectionsForward } from './projection-shapes.ts';
import { projections } from './projections/index.ts';
import type { Database } from './schema.ts';
import { upcasters } from './upcasters.ts';

/**
 * The bot's memory. This process is the only writer; whatever belongs together is one transaction: events, the
 * projections built from them, and what the policies derive (jobs for the outbox, messages for the chat).
 */

export type Trx = Transaction<Database>;
/** Runs for every event in its transaction: what follows from it is stored with it or not at all. */
export type Policy = (trx: Trx, event: Event<DomainEvent>) => Promise<void>;

export type Store = {
  db: Kysely<Database>;
  /** One after another; a rejection rolls back and is passed on. Inside, use `trx` alone: `db` throws there. */
  transaction<T>(work: (trx: Trx) => Promise<T>): Promise<T>;
  /** Reads the stream, decides, appends. Gives the state after the events; throws what the decider throws. */
  handle<State, Command extends DomainCommand, E extends DomainEvent>(
    trx: Trx,
    decider: Decider<State, Command, E>,
    stream: string,
    command: Command,
    metadata: Metadata,
  ): Promise<{ state: State; events: E[] }>;
  /**
   * Calls the listener after every commit, with the events of that transaction (there may be none). One that throws is
   * logged: what is committed has happened, whatever they make of it.
   */
  onCommitted(listener: (events: Event<DomainEvent>[]) => void): () => void;
  close(): Promise<void>;
};

type DomainCommand = Readonly<{ type: string; data: Readonly<object> }>;

/** What one transaction has come to so far. */
type Changes = { events: Event<DomainEvent>[]; states: Fresh };

export type StoreOptions = {
  dataDir: string;
  log: Log;
  policies?: readonly Policy[];
  now?: () => Date;
};

export const databasePath = (dataDir: string): string => join(dataDir, 'berth.db');

const bringForward = async (
  db: Kysely<Database>,
  dataDir: string,
  copy: (path: string) => void,
  log: Log,
  now: Date,
) => {
  await refuseNewer(db);
  const pending = await pendingMigrations(db);
  const [next] = pending;
  if (next === undefined) return;
  if (pending.length < Object.keys(migrations).length) {
    const kept = keepCopy({ folder: join(dataDir, 'backups'), step: next, now, copy });
    log.info({ copy: kept }, 'the database as it was is kept');
  }
  log.info({ migrations: await migrate(db) }, 'database brought forward');
};

/** Opens the database for writing. Throws StoreLockedError when another process has it. */
export const openStore = async ({
  dataDir,
  log,
  policies = [],
  now = () => new Date(),
}: StoreOptions): Promise<Store> => {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const unlock = lockStore(dataDir);
  makePrivate(databasePath(dataDir));
  const database = openSqlite(databasePath(dataDir));
  const db = new Kysely<Database>({ dialect: new ImmediateSqliteDialect(database) });
  const listeners = new Set<(events: Event<DomainEvent>[]) => void>();
  const states = createFoldedStates();
  const changesIn = new WeakMap<Trx, Changes>();
  const tell = (events: Event<DomainEvent>[]): void => {
    for (const listener of listeners) {
      try {
        listener(events);
      } catch (err) {
        log.error({ err }, 'somebody who hears of commits failed');
      }
    }
  };
  const close = async () => {
    await db.destroy();
    unlock();
  };

  try {
    const copy = (path: string) => database.prepare('vacuum into ?').run(path);
    await bringForward(db, dataDir, copy, log, now());
    await bringProjectionsForward(db, log);
  } catch (error) {
    await close();
    throw error;
  }

  const store: Store = {
    db: db.withPlugin(refusesBeside),
    async transaction(work) {
      refuseBeside();
      const changes: Changes = { events: [], states: new Map() };
      const result = await sideEffect('store: commit', () =>
        db.transaction().execute((trx) => {
          changesIn.set(trx, changes);
          return asTransaction(() => work(trx));
        }),
      );
      states.remember(changes.states);
      tell(changes.events);
      return result;
    },
    async handle(trx, decider, stream, command, metadata) {
      type State = typeof decider.initialState;
      const known = states.of(decider, stream);
      const newer = await readStream(trx as never, stream, upcasters, known.version);
      const before = newer.reduce<State>(
        (state, event) => decider.evolve(state, event as never),
        known.state,
      );
      const version = known.version + newer.length;
      const events = decider.decide(command, before);
      const options = { now: now(), upcasters };
      const recorded = await append(trx as never, stream, version, events, metadata, options);
      for (const event of recorded as unknown as Event<DomainEvent>[]) {
        for (const { apply } of projections) await apply(trx, event);
        for (const policy of policies) await policy(trx, event);
        changesIn.get(trx)?.events.push(event);
      }
      const state = events.reduce((state, event) => decider.evolve(state, event), before);
      changesIn.get(trx)?.states.set(stream, { decider, version: version + events.length, state });
      return { state, events };
    },
    onCommitted(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close,
  };
  try {
    await defineFirstPlans(store, now());
  } catch (error) {
    await close();
    throw error;
  }
  return store;
};
