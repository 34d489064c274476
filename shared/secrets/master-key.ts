import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { deriveKey, keyBytes } from './sealing.ts';

/** The key that wraps the keys of all VMs. Whoever has it and the database can read every password. */

const fromText = (secretKey: string): Buffer => {
  if (secretKey.length < 32) throw new Error('SECRET_KEY: must have at least 32 characters');
  return deriveKey(secretKey, 'master key');
};

const readOrMake = (path: string): Buffer => {
  try {
    const key = Buffer.from(readFileSync(path, 'utf8').trim(), 'base64');
    if (key.length !== keyBytes)
      throw new Error(`${path} is damaged: it must hold ${keyBytes} bytes in base64`);
    return key;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  // On the disk before anything is sealed with it, and never readable by others, not even for a moment.
  const key = randomBytes(keyBytes);
  const file = openSync(`${path}.new`, 'w', 0o600);
  writeSync(file, `${key.toString('base64')}\n`);
  fsyncSync(file);
  closeSync(file);
  renameSync(`${path}.new`, path);
  return key;
};

/** From `SECRET_KEY`, or made once and kept in `DATA_DIR/secret.key` with mode 0600. */
export const loadMasterKey = (options: { dataDir: string; secretKey: string | undefined }): Buffer => {
  if (options.secretKey !== undefined) return fromText(options.secretKey);
  mkdirSync(options.dataDir, { recursive: true });
  return readOrMake(join(options.dataDir, 'secret.key'));
};
