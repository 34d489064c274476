import { existsSync } from 'node:fs';
import { Kysely } from 'kysely';
import { z } from 'zod';
import { ImmediateSqliteDialect, openSqlite } from '../services/bot/store/dialect.ts';
import { StoreLockedError } from '../services/bot/store/lock.ts';
import {
  type Comparison,
  copyProjections,
  type Rebuilt,
  rebuildAndCompare,
} from '../services/bot/store/replay.ts';
import type { Database } from '../services/bot/store/schema.ts';
import { databasePath, openStore } from '../services/bot/store/store.ts';
import { dataDir, logLevel, parseEnv } from '../shared/env.ts';
import { envOrExit } from '../shared/lifecycle.ts';
import { createLog } from '../shared/log.ts';

/**
 * Rebuilds the projections from the events and proves them equal: in place while the bot is not running, otherwise
 * beside it, in memory. Ends with status 1 where they differ.
 */

type Result = Rebuilt & { comparisons: Comparison[]; inPlace: boolean };

const env = envOrExit(() => parseEnv(z.object({ DATA_DIR: dataDir, LOG_LEVEL: logLevel }), process.env));

const open = (path: string, options = {}) => {
  const database = openSqlite(path, options);
  return { database, db: new Kysely<Database>({ dialect: new ImmediateSqliteDialect(database) }) };
};

const replayInPlace = async (): Promise<Result> => {
  const store = await openStore({ dataDir: env.DATA_DIR, log: createLog('replay', env.LOG_LEVEL) });
  try {
    return { ...(await store.transaction((trx) => rebuildAndCompare(trx))), inPlace: true };
  } finally {
    await store.close();
  }
};

/** Reads one moment of the live database, while the bot goes on. */
const replayBeside = async (): Promise<Result> => {
  const live = open(databasePath(env.DATA_DIR), { readonly: true });
  const memory = open(':memory:');
  try {
    live.database.exec('begin');
    await memory.db.transaction().execute((trx) => copyProjections(live.db, trx));
    const result = await memory.db.transaction().execute((trx) => rebuildAndCompare(trx, live.db));
    return { ...result, inPlace: false };
  } finally {
    await live.db.destroy();
    await memory.db.destroy();
  }
};

const replay = async (): Promise<Result> => {
  try {
    return await replayInPlace();
  } catch (error) {
    if (error instanceof StoreLockedError) return replayBeside();
    throw error;
  }
};

const print = (line: string) => process.stdout.write(`${line}\n`);

const printTable = ({ table, rows, missing, extra }: Comparison): void => {
  const equal = missing.length === 0 && extra.length === 0;
  print(`${table.padEnd(12)}${String(rows).padStart(9)} rows  ${equal ? 'equal' : 'differs'}`);
  for (const row of missing) print(`  - ${JSON.stringify(row)}`);
  for (const row of extra) print(`  + ${JSON.stringify(row)}`);
};

if (!existsSync(databasePath(env.DATA_DIR))) {
  process.stderr.write(`There is no database in ${env.DATA_DIR}; DATA_DIR says where it is.\n`);
  process.exit(1);
}

const { events, seconds, comparisons, inPlace } = await replay();
for (const comparison of comparisons) printTable(comparison);
const rate = Math.round(events / Math.max(seconds, 0.001));
print(`${events} events in ${seconds.toFixed(2)} s, ${rate} events/s`);
const differs = comparisons.some(({ missing, extra }) => missing.length + extra.length > 0);
if (inPlace)
  print(differs ? 'differs: the projections were wrong, and are rebuilt now' : 'equal: rebuilt in place');
else
  print(
    `${differs ? 'differs' : 'equal'}: compared only, for the bot is running${differs ? '; stop it, then replay again to repair' : ''}`,
  );
process.exitCode = differs ? 1 : 0;
