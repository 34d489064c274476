import { join } from 'node:path';
import { takeFileLock } from '../../../shared/file-lock.ts';

/** Another process writes this database. */
export class StoreLockedError extends Error {
  override name = 'StoreLockedError';

  constructor(dataDir: string) {
    super(
      `another Berth writes the database in ${dataDir}: only one bot may. Stop that one first, or give this one a DATA_DIR of its own.`,
    );
  }
}

/** Takes the right to write, for as long as this process lives. Returns how to give it back. */
export const lockStore = (dataDir: string): (() => void) => {
  const release = takeFileLock(join(dataDir, 'berth.lock'));
  if (release === null) throw new StoreLockedError(dataDir);
  return release;
};
