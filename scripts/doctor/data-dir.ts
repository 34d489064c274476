import { constants } from 'node:fs';
import { access, realpath, stat, statfs } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { formatBytes } from '../../services/bot/format/numbers.ts';
import { type Finding, failure, ok, warning } from './check.ts';
import { findMount, readMountTable, whyNotLocal } from './file-system.ts';

/** Bytes: the database, its write-ahead log, Redis' file and a day of logs. */
const enough = 2 * 1024 ** 3;

const existing = async (path: string): Promise<string> =>
  (await stat(path).catch(() => null)) === null ? existing(dirname(path)) : path;

const name = 'data folder';

/** What others can read of what nobody else may: the database and what seals it. */
const findOpenFiles = async (folder: string): Promise<string[]> => {
  const files = ['berth.db', 'berth.db-wal', 'berth.db-shm', 'secret.key'].map((file) => join(folder, file));
  const states = await Promise.all(files.map((file) => stat(file).catch(() => null)));
  return files.filter((_, index) => ((states[index]?.mode ?? 0) & 0o077) !== 0);
};

const judgeRights = async (folder: string, mode: number): Promise<Finding[]> => {
  const folderIsOpen =
    (mode & 0o077) === 0 ? [] : [warning(name, `${folder} can be read by others`, `chmod 700 ${folder}`)];
  const open = await findOpenFiles(folder);
  const filesAreOpen =
    open.length === 0
      ? []
      : [warning(name, `${open.join(', ')} can be read by others`, `chmod 600 ${open.join(' ')}`)];
  return [...folderIsOpen, ...filesAreOpen];
};

/** Looks without making anything: where the folder is not there yet, at the one it will be made in. */
export const checkDataDir = async (dataDir: string, mounts?: string): Promise<Finding | Finding[]> => {
  const path = resolve(dataDir);
  const there = await existing(path);
  const { mode } = await stat(there);
  const usable = (mode & constants.S_IFMT) === constants.S_IFDIR;
  const writable = await access(there, constants.W_OK | constants.X_OK).then(
    () => usable,
    () => false,
  );
  if (!writable) {
    const fault = usable ? 'is not writable' : 'is not a folder';
    return failure(name, `${there} ${fault}`, 'Give it to the user who runs Berth, or set DATA_DIR.');
  }
  const mount = findMount(mounts ?? (await readMountTable()), await realpath(there));
  const kind = mount === null ? null : whyNotLocal(mount);
  if (kind !== null) {
    const where = kind.includes('Windows') ? ', on WSL a folder of Linux such as ~/berth-data' : '';
    return failure(
      name,
      `${path} is on ${kind}`,
      `The database would be damaged: set DATA_DIR to a local file system${where}.`,
    );
  }
  const { bavail, bsize } = await statfs(there);
  const free = bavail * bsize;
  const found = `${path}${there === path ? '' : ' (made at the start)'}, ${formatBytes(free)} free`;
  if (free < enough) return warning(name, found, 'Make room: 2 GB at least.');
  const open = there === path ? await judgeRights(path, mode) : [];
  return open.length > 0 ? open : ok(name, found);
};
