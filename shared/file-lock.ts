import Sqlite from 'better-sqlite3';

/**
 * Takes a lock that no other process can have at the same time: an open exclusive transaction on a file of its own.
 * The kernel gives it back when its holder dies, however it dies. Returns how to give it back; null where another
 * process has it.
 */
export const takeFileLock = (path: string): (() => void) | null => {
  const lock = new Sqlite(path, { timeout: 0 });
  try {
    lock.exec('begin exclusive');
  } catch (error) {
    lock.close();
    if ((error as { code?: string }).code === 'SQLITE_BUSY') return null;
    throw error;
  }
  return () => lock.close();
};
