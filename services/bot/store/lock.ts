import { join } from 'node:path';
import Sqlite from 'better-sqlite3';

/** Another process writes this database. */
export class StoreLockedError extends Error {
  override name = 'StoreLockedError';

  constructor(dataDir: string) {
    super(
      `another Berth writes the database in ${dataDir}: only one bot may. Stop that one first, or give this one a DATA_DIR of its own.`,
    );
  }
}

/**
 * Takes the right to write, for as long as this process lives: an open exclusive transaction on a file of its own.
 * The kernel gives such a lock back when its holder dies, however it dies. Returns how to give it back.
 */
export const lockStore = (dataDir: string): (() => void) => {
  const lock = new Sqlite(join(dataDir, 'berth.lock'), { timeout: 0 });
  try {
    lock.exec('begin exclusive');
  } catch (error) {
    lock.close();
    if ((error as { code?: string }).code === 'SQLITE_BUSY') throw new StoreLockedError(dataDir);
    throw error;
  }
  return () => lock.close();
};
