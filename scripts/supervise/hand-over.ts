import { randomBytes } from 'node:crypto';
import { openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Source } from './settings.ts';

/**
 * Hands secrets to a process without its environment, which everything it starts inherits, and which tools show: each
 * lies in a file without a name, which the process inherits open and reads as its `…_FILE`.
 */

export type HandOver = {
  /** The variables, with `NAME_FILE` in place of each secret `NAME`. */
  variables: Source;
  /** The files, in the order of the descriptors that they are to have in the process, from `firstDescriptor` on. */
  files: number[];
};

/** After standard input, output, error, and the channel to the supervisor. */
export const firstDescriptor = 4;

/** A file that is there as long as somebody has it open; for nobody else, not even by its name for a moment. */
const openNameless = (folder: string, text: string): number => {
  const path = join(folder, `.handed-over-${randomBytes(9).toString('hex')}`);
  const file = openSync(path, 'wx+', 0o600);
  rmSync(path);
  writeSync(file, text);
  return file;
};

/** `folder`: where such a file may lie. The files stay open here, for the process may have to be started again. */
export const handOver = (variables: Source, secrets: readonly string[], folder: string): HandOver => {
  const rest = { ...variables };
  const files: number[] = [];
  for (const name of secrets) {
    const value = rest[name];
    if (!value) continue;
    delete rest[name];
    rest[`${name}_FILE`] = `/proc/self/fd/${firstDescriptor + files.length}`;
    files.push(openNameless(folder, value));
  }
  return { variables: rest, files };
};
