import { chmodSync, closeSync, openSync, statSync } from 'node:fs';

/**
 * Nobody but the bot's user reads the database, whatever the rights of its folder are: it holds sealed passwords, and
 * who did what. SQLite gives the files beside it the rights of the database as it makes them.
 */
export const makePrivate = (path: string): void => {
  closeSync(openSync(path, 'a', 0o600));
  for (const file of [path, `${path}-wal`, `${path}-shm`]) {
    const state = statSync(file, { throwIfNoEntry: false });
    if (state !== undefined && (state.mode & 0o077) !== 0) chmodSync(file, 0o600);
  }
};
