import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Kysely, SqliteDialect } from 'kysely';
import { z } from 'zod';
import { openSqlite } from '../services/bot/store/dialect.ts';
import type { Database } from '../services/bot/store/schema.ts';
import { databasePath } from '../services/bot/store/store.ts';
import { dataDir, instance, parseEnv } from '../shared/env.ts';
import { envOrExit } from '../shared/lifecycle.ts';
import { loadMasterKey } from '../shared/secrets/master-key.ts';
import { databaseMember, type KeyPlace, keyMember, pack, sha256 } from './backup/archive.ts';
import { opensDatabase } from './backup/master-key.ts';
import { nameByTime, removeOldBackups } from './backup/old-backups.ts';
import { BackupRefusal, runTool } from './backup/refusal.ts';
import { withStaging } from './backup/staging.ts';

/**
 * Copies what cannot be made again, the database and the key to its secrets, into one file, of one moment, while the bot
 * goes on: `npm run backup [-- --to FILE|FOLDER] [--keep N] [--without-key]`.
 */

if (existsSync('.env')) process.loadEnvFile('.env');
const secretKey = z.string().min(32, 'must have at least 32 characters').optional();
const env = envOrExit(() =>
  parseEnv(z.object({ DATA_DIR: dataDir, INSTANCE: instance, SECRET_KEY: secretKey }), process.env),
);

type Order = { path: string; keep: number | null; withKey: boolean };

const readOrder = (): Order => {
  const { values } = parseArgs({
    options: {
      to: { type: 'string' },
      keep: { type: 'string' },
      'without-key': { type: 'boolean', default: false },
    },
  });
  const to = resolve(values.to ?? join(env.DATA_DIR, 'backups'));
  const isFolder = values.to === undefined || (existsSync(to) && statSync(to).isDirectory());
  const path = isFolder ? join(to, nameByTime(new Date())) : to;
  if (values.keep !== undefined && !/^[1-9]\d{0,5}$/.test(values.keep)) {
    throw new BackupRefusal('--keep takes a number: how many backups stay, this one among them');
  }
  if (values.keep !== undefined && !isFolder) {
    throw new BackupRefusal(
      '--keep needs a folder for --to: only backups named by their time are ever removed',
    );
  }
  if (existsSync(path)) throw new BackupRefusal(`${path} is there already; a backup overwrites nothing`);
  return { path, keep: values.keep ? Number(values.keep) : null, withKey: !values['without-key'] };
};

/** Copies one moment of the live database, without anything that was deleted from it. Gives the number of events. */
const copyDatabase = async (to: string): Promise<number> => {
  const live = openSqlite(databasePath(env.DATA_DIR), { readonly: true });
  try {
    live.prepare('vacuum into ?').run(to);
  } finally {
    live.close();
  }
  const copy = openSqlite(to, { readonly: true });
  try {
    return (copy.prepare('select count(*) as events from events').get() as { events: number }).events;
  } finally {
    copy.close();
  }
};

/** Puts the key into the staging folder where it belongs there. Throws where it would not open what was copied. */
const addKey = async (staging: string, withKey: boolean): Promise<KeyPlace> => {
  const keyFile = join(env.DATA_DIR, keyMember);
  const place: KeyPlace = env.SECRET_KEY !== undefined ? 'SECRET_KEY' : withKey ? 'in-backup' : 'left-out';
  if (env.SECRET_KEY === undefined && !existsSync(keyFile)) {
    if (place === 'left-out') return place;
    throw new BackupRefusal(
      `There is no ${keyFile}, and SECRET_KEY is not set: without the key nobody can read the passwords in the backup. Set SECRET_KEY as the bot has it, or say --without-key.`,
    );
  }
  const copy = openSqlite(join(staging, databaseMember), { readonly: true });
  const db = new Kysely<Database>({ dialect: new SqliteDialect({ database: copy }) });
  try {
    const key = loadMasterKey({ dataDir: env.DATA_DIR, secretKey: env.SECRET_KEY });
    if (!(await opensDatabase(db, key))) {
      const name = env.SECRET_KEY === undefined ? keyFile : 'SECRET_KEY';
      throw new BackupRefusal(`${name} is not the key of this database; does the bot have another one?`);
    }
  } finally {
    await db.destroy();
  }
  if (place === 'in-backup') writeFileSync(join(staging, keyMember), readFileSync(keyFile), { mode: 0o600 });
  return place;
};

const aboutTheKey: Record<KeyPlace, string> = {
  'in-backup':
    'IT HOLDS THE KEY: whoever reads this file can read the password of every VM. It has mode 0600; keep it as safe as the host itself, or make one with --without-key.',
  'left-out': `IT DOES NOT HOLD THE KEY: without ${keyMember} from DATA_DIR it cannot be restored. Keep that file somewhere else.`,
  SECRET_KEY:
    'IT DOES NOT HOLD THE KEY, which follows from SECRET_KEY: without that it cannot be restored. Keep it somewhere else.',
};

const print = (line: string) => process.stdout.write(`${line}\n`);

await runTool(async () => {
  const { path, keep, withKey } = readOrder();
  if (!existsSync(databasePath(env.DATA_DIR))) {
    throw new BackupRefusal(`There is no database in ${env.DATA_DIR}; DATA_DIR says where it is.`);
  }
  const { events, key } = await withStaging(dirname(path), async (staging) => {
    const madeAt = new Date().toISOString();
    const events = await copyDatabase(join(staging, databaseMember));
    const key = await addKey(staging, withKey);
    const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../package.json'), 'utf8'));
    await pack(staging, path, { madeAt, berth: version, instance: env.INSTANCE, key, events });
    return { events, key };
  });
  print(`${path}: ${events} events, ${statSync(path).size} bytes`);
  print(`sha256 ${await sha256(path)}`);
  print(aboutTheKey[key]);
  if (keep !== null) for (const old of removeOldBackups(dirname(path), keep)) print(`removed ${old}`);
});
