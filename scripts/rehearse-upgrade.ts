import { chmodSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqlite } from '../services/bot/store/dialect.ts';
import { rebuildAndCompare } from '../services/bot/store/replay.ts';
import { databasePath, openStore } from '../services/bot/store/store.ts';
import { createLog } from '../shared/log.ts';

/**
 * `node scripts/rehearse-upgrade.ts DATA_DIR`: whether this Berth can go on with that database, tried with a copy while the
 * other one runs. Brings the copy forward and reads every event. Ends with status 1, and says why, where it cannot.
 */

const [dataDir = ''] = process.argv.slice(2);
if (!existsSync(databasePath(dataDir))) {
  process.stderr.write(`there is no database in “${dataDir}”\n`);
  process.exit(1);
}

const folder = mkdtempSync(join(tmpdir(), 'berth-rehearsal-'));
try {
  const live = openSqlite(databasePath(dataDir), { readonly: true });
  live.prepare('vacuum into ?').run(databasePath(folder));
  live.close();
  chmodSync(databasePath(folder), 0o600);
  const store = await openStore({ dataDir: folder, log: createLog('rehearsal', 'warn') });
  const { events } = await store.transaction((trx) => rebuildAndCompare(trx));
  await store.close();
  process.stdout.write(`${events} events read\n`);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
