import { chmodSync, copyFileSync, existsSync, mkdirSync, renameSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Kysely, SqliteDialect } from 'kysely';
import { z } from 'zod';
import { createNotifications } from '../services/bot/notifications.ts';
import { openSqlite } from '../services/bot/store/dialect.ts';
import { lockStore, StoreLockedError } from '../services/bot/store/lock.ts';
import { refuseNewer } from '../services/bot/store/migrations.ts';
import { createJobsPolicy } from '../services/bot/store/policies/jobs.ts';
import type { Database } from '../services/bot/store/schema.ts';
import { databasePath, openStore } from '../services/bot/store/store.ts';
import { dataDir, instance, logLevel, parseEnv, redisUrl } from '../shared/env.ts';
import { envOrExit } from '../shared/lifecycle.ts';
import { createLog } from '../shared/log.ts';
import { loadMasterKey } from '../shared/secrets/master-key.ts';
import { createVault } from '../shared/secrets/vault.ts';
import { databaseMember, keyMember, type Manifest, renameDurably, unpack } from './backup/archive.ts';
import { forgetJobs } from './backup/jobs-in-redis.ts';
import { opensDatabase } from './backup/master-key.ts';
import { BackupRefusal, runTool } from './backup/refusal.ts';
import { rememberUpdates, type Settled, settle } from './backup/settle.ts';
import { withStaging } from './backup/staging.ts';

/**
 * Puts a backup in place, for the bot's next start: `npm run restore -- FILE [--force]`. Everything is checked and
 * prepared beside what is there; only then are files moved, the database last.
 */

if (existsSync('.env')) process.loadEnvFile('.env');
const env = envOrExit(() =>
  parseEnv(
    z.object({
      DATA_DIR: dataDir,
      INSTANCE: instance,
      REDIS_URL: redisUrl.optional(),
      SECRET_KEY: z.string().min(32, 'must have at least 32 characters').optional(),
      LOG_LEVEL: logLevel.default('warn'),
    }),
    process.env,
  ),
);

const readOrder = (): { path: string; force: boolean } => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { force: { type: 'boolean', default: false } },
  });
  const [path, ...rest] = positionals;
  if (path === undefined || rest.length > 0) {
    throw new BackupRefusal('Usage: npm run restore -- FILE [--force]');
  }
  if (!existsSync(path)) throw new BackupRefusal(`There is no file ${path}.`);
  return { path: resolve(path), force: values.force };
};

const live = databasePath(env.DATA_DIR);
const liveKey = join(env.DATA_DIR, keyMember);

const lock = (): (() => void) => {
  mkdirSync(env.DATA_DIR, { recursive: true, mode: 0o700 });
  try {
    return lockStore(env.DATA_DIR);
  } catch (error) {
    if (!(error instanceof StoreLockedError)) throw error;
    throw new BackupRefusal(
      `A bot has the database in ${env.DATA_DIR}: stop Berth first. Nothing was changed.`,
    );
  }
};

/** The key that the bot will have; in the staging folder where it comes from a file. */
const findKey = (staging: string): Buffer => {
  const staged = join(staging, keyMember);
  if (env.SECRET_KEY === undefined && !existsSync(staged)) {
    if (!existsSync(liveKey)) {
      throw new BackupRefusal(
        `The backup does not hold the key. Put ${keyMember} into ${env.DATA_DIR} (mode 0600), or set SECRET_KEY as it was. Nothing was changed.`,
      );
    }
    copyFileSync(liveKey, staged);
  }
  return loadMasterKey({ dataDir: staging, secretKey: env.SECRET_KEY });
};

/** Whether it is whole, of a Berth that this one knows, and opened by the key. */
const check = async (staging: string, masterKey: Buffer): Promise<void> => {
  const database = openSqlite(join(staging, databaseMember), { readonly: true });
  const db = new Kysely<Database>({ dialect: new SqliteDialect({ database }) });
  try {
    const faults = database.pragma('integrity_check', { simple: true });
    if (faults !== 'ok') throw new BackupRefusal(`The database in the backup is damaged: ${faults}`);
    await refuseNewer(db).catch((error: Error) => {
      throw new BackupRefusal(`${error.message} Nothing was changed.`);
    });
    if (await opensDatabase(db, masterKey)) return;
    const name = env.SECRET_KEY === undefined ? keyMember : 'SECRET_KEY';
    throw new BackupRefusal(`${name} does not open this backup: it is another key. Nothing was changed.`);
  } finally {
    await db.destroy();
  }
};

const prepare = async (staging: string, masterKey: Buffer): Promise<Settled> => {
  const policies = [createJobsPolicy({ vault: createVault(masterKey) }), createNotifications([])];
  const log = createLog('restore', env.LOG_LEVEL);
  const store = await openStore({ dataDir: staging, log, policies });
  try {
    if (existsSync(live)) {
      await rememberUpdates(store, live).catch((error: Error) =>
        print(`Of the database that is replaced, no updates could be read (${error.message}).`),
      );
    }
    return await settle(store, new Date());
  } finally {
    await store.close();
  }
};

/** Moves what is there into a folder of its own, and gives that. Null where there was nothing. */
const putAside = (now: Date): string | null => {
  const names = [databaseMember, `${databaseMember}-wal`, `${databaseMember}-shm`, keyMember];
  const there = names.filter((name) => existsSync(join(env.DATA_DIR, name)));
  if (there.length === 0) return null;
  const folder = join(env.DATA_DIR, 'backups', `replaced-${now.toISOString().replaceAll(/[-:]|\.\d+/g, '')}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (const name of there) renameSync(join(env.DATA_DIR, name), join(folder, name));
  return folder;
};

const place = (staging: string): void => {
  // The key first: a database without one would be given a new key that opens nothing.
  if (existsSync(join(staging, keyMember))) {
    chmodSync(join(staging, keyMember), 0o600);
    renameDurably(join(staging, keyMember), liveKey);
  }
  renameDurably(join(staging, databaseMember), live);
};

const print = (line: string) => process.stdout.write(`${line}\n`);

const tell = (path: string, { madeAt, instance, events }: Manifest, { vms, continued, unknown }: Settled) => {
  print(`${path}, made ${madeAt}, is in place: ${events} events, ${vms} VMs.`);
  if (instance !== env.INSTANCE) {
    print(
      `It is of the instance ${instance}, and here it is ${env.INSTANCE}: its VMs will be taken for lost.`,
    );
  }
  print(
    `Unfinished at that time: ${continued} operations go on; of ${unknown} commands the outcome is unknown.`,
  );
  print('Start Berth: VMs that are no longer there are told to their owners as lost.');
};

await runTool(async () => {
  const { path, force } = readOrder();
  const unlock = lock();
  try {
    if (existsSync(live) && !force) {
      throw new BackupRefusal(
        `There is a database in ${env.DATA_DIR} already. With --force it is put aside, into the folder backups there. Nothing was changed.`,
      );
    }
    await withStaging(env.DATA_DIR, async (staging) => {
      const manifest = await unpack(path, staging);
      const masterKey = findKey(staging);
      await check(staging, masterKey);
      const settled = await prepare(staging, masterKey);
      await forgetJobs({ url: env.REDIS_URL, dataDir: env.DATA_DIR, instance: env.INSTANCE });
      const aside = putAside(new Date());
      place(staging);
      tell(path, manifest, settled);
      if (aside !== null) print(`What was there before is in ${aside}.`);
    });
  } finally {
    unlock();
  }
});
