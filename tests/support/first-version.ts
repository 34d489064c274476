import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { databasePath } from '../../services/bot/store/store.ts';

/** The database that the first version left behind, put where a bot of today finds it. */

export const firstVersion = {
  secretKey: 'the-secret-key-of-the-first-version-s-fixture',
  administrator: 4001,
  /** The plan Basic, with three VMs: `rest` stopped, `late` accepted and not made yet, `gone` destroyed. */
  ann: 50_001,
  /** The administrator's VM, running, with a command that was accepted and not run yet. */
  box: { vmId: 'x8t59gbmdu', sshPort: 20_741, epoch: 4, password: 'yictnwC4AknRPMArXCtvgnTg' },
  rest: { vmId: 'xb3d9fbns2', sshPort: 20_742, epoch: 2 },
};

const lastMoment = Date.parse('2026-11-24T16:23:03.000Z');

/** `now` stands for the moment at which the first version was ended: all times in it are moved so. */
export const writeFirstVersion = (dataDir: string, now = new Date()): void => {
  const text = readFileSync(join(import.meta.dirname, '../fixtures/first-version.sql'), 'utf8');
  const by = now.getTime() - lastMoment;
  const moved = text.replaceAll(/20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, (time) =>
    new Date(Date.parse(time) + by).toISOString(),
  );
  const database = new Sqlite(databasePath(dataDir));
  database.exec(moved);
  database.close();
};
