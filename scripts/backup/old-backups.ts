import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** Backups that got their name from the time; in the order of their names they are in the order of their age. */

const pattern = /^berth-\d{8}T\d{6}Z\.tar$/;

export const nameByTime = (now: Date): string =>
  `berth-${now.toISOString().replace(/\.\d+/, '').replaceAll(/[-:]/g, '')}.tar`;

/** Removes all but the newest `keep` from the folder, and gives the removed ones' paths. Other files are not touched. */
export const removeOldBackups = (folder: string, keep: number): string[] => {
  const names = readdirSync(folder).filter((name) => pattern.test(name));
  const old = names
    .sort()
    .slice(0, Math.max(0, names.length - keep))
    .map((name) => join(folder, name));
  for (const path of old) rmSync(path);
  return old;
};
