import { readFile } from 'node:fs/promises';

/** On which file system a path is, by the kernel's own table of mounts (proc_pid_mountinfo(5)). */

export type Mount = { folder: string; type: string; source: string };

/** Blanks and the like are written as `\040`. */
const decodeBlanks = (text: string): string =>
  text.replaceAll(/\\([0-7]{3})/g, (_all, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));

/** `36 35 98:0 / /mnt/c rw,noatime shared:1 - 9p drvfs rw,aname=drvfs`; a later mount lies over an earlier one. */
const readMounts = (table: string): Mount[] =>
  table
    .split('\n')
    .filter((line) => line.includes(' - '))
    .map((line) => {
      const [before = '', behind = ''] = line.split(' - ');
      const [type = '', source = ''] = behind.split(' ');
      return { folder: decodeBlanks(before.split(' ')[4] ?? ''), type, source: decodeBlanks(source) };
    });

const holds = (folder: string, path: string): boolean =>
  folder === '/' || path === folder || path.startsWith(`${folder}/`);

/** Null where the kernel has no such table. `path`: absolute, with links resolved. */
export const findMount = (table: string, path: string): Mount | null =>
  readMounts(table)
    .filter(({ folder }) => holds(folder, path))
    .reduce<Mount | null>(
      (found, mount) => (found === null || mount.folder.length >= found.folder.length ? mount : found),
      null,
    );

export const readMountTable = (): Promise<string> => readFile('/proc/self/mountinfo', 'utf8').catch(() => '');

/** What other machines share, where SQLite's locks and its write-ahead log do not hold; null for a local one. */
export const whyNotLocal = ({ type, source }: Mount): string | null => {
  if (type === 'drvfs' || (type === '9p' && /drvfs|^[A-Z]:\\?$/i.test(source))) return 'a Windows drive';
  if (/^(nfs4?|cifs|smb3|smbfs|afs|ceph|lustre|gfs2|ocfs2)$/.test(type)) return `a network share (${type})`;
  if (/^(9p|virtiofs|vboxsf|prl_fs|fakeowner|grpcfuse|osxfs)$/.test(type))
    return `a folder of another system (${type})`;
  // Disks that a program of this machine serves, such as ntfs-3g, are among them: neither is made for this.
  return type.startsWith('fuse') && type !== 'fuseblk' ? `a file system of a program (${type})` : null;
};
