import { constants } from 'node:fs';
import { access, stat, statfs } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { formatBytes } from '../../services/bot/format/numbers.ts';
import { type Finding, failure, ok, warning } from './check.ts';

/** File systems of other machines lose SQLite's locks. Magic numbers of statfs(2). */
const remote: Record<number, string> = {
  26985: 'NFS',
  4283649346: 'CIFS',
  4266872130: 'SMB',
  1702057286: 'FUSE',
  16914839: '9p',
  2020557398: 'a shared folder of VirtualBox',
};

/** Bytes: the database, its write-ahead log, Redis' file and a day of logs. */
const enough = 2 * 1024 ** 3;

const existing = async (path: string): Promise<string> =>
  (await stat(path).catch(() => null)) === null ? existing(dirname(path)) : path;

/** Looks without making anything: where the folder is not there yet, at the one it will be made in. */
export const checkDataDir = async (dataDir: string): Promise<Finding> => {
  const name = 'data folder';
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
  const { type, bavail, bsize } = await statfs(there);
  const kind = remote[type];
  if (kind !== undefined)
    return failure(name, `${path} is on ${kind}`, 'The database needs a local file system: set DATA_DIR.');
  const free = bavail * bsize;
  const found = `${path}${there === path ? '' : ' (made at the start)'}, ${formatBytes(free)} free`;
  if (free < enough) return warning(name, found, 'Make room: 2 GB at least.');
  return there === path && (mode & 0o077) !== 0
    ? warning(name, `${path} can be read by others`, `chmod 700 ${path}`)
    : ok(name, found);
};
