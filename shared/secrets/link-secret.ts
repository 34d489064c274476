import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, linkSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { EnvError } from '../env.ts';

/**
 * The secret by which Berth's processes know each other and seal what passes between them. It stays the same over
 * restarts: what was sealed before one must open after it. Each use has a key of its own, derived from it.
 */

const newName = (path: string): string =>
  join(dirname(path), `.${basename(path)}.${process.pid}.${randomBytes(6).toString('hex')}`);

/**
 * Makes the file where there is none: whole or not at all, mode 0600, and the first of several that try at once decides
 * what is in it. What is there already stays. Throws where the folder cannot be written.
 */
export const ensureLinkSecret = (path: string): void => {
  if (existsSync(path)) return;
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const made = newName(path);
  const file = openSync(made, 'wx', 0o600);
  try {
    writeSync(file, `${randomBytes(32).toString('base64url')}\n`);
    fsyncSync(file);
    // Unlike a rename this never replaces what another process has put there, and may be using, meanwhile.
    linkSync(made, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    closeSync(file);
    rmSync(made, { force: true });
  }
};

/**
 * Makes the file that `LINK_SECRET_FILE` names, where that is where the secret comes from and it is not there yet. Throws
 * an EnvError where it cannot be made.
 */
export const ensureLinkSecretOf = (variables: Record<string, string | undefined>): void => {
  const path = variables.LINK_SECRET_FILE;
  if (variables.LINK_SECRET || !path) return;
  try {
    ensureLinkSecret(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new EnvError(`Wrong configuration:\n  LINK_SECRET_FILE: cannot make ${path} (${code})`);
  }
};
