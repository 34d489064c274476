import { createHash } from 'node:crypto';
import {
  closeSync,
  createReadStream,
  fsyncSync,
  lstatSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { execa } from 'execa';
import { z } from 'zod';
import { BackupRefusal } from './refusal.ts';

/**
 * Glossary.
 * backup — one tar file that opens without Berth: manifest.json, berth.db and, unless it was left out, secret.key.
 * manifest — when and by what the backup was made, and the SHA-256 of every other member.
 * staging folder — where a backup is put together or taken apart, mode 0700; gone afterwards.
 */

export const databaseMember = 'berth.db';
export const keyMember = 'secret.key';
const manifestMember = 'manifest.json';

/** How the master key can be had: it is in the backup, was left out of it, or follows from SECRET_KEY. */
export const keyPlaces = ['in-backup', 'left-out', 'SECRET_KEY'] as const;
export type KeyPlace = (typeof keyPlaces)[number];

const digest = z.string().regex(/^[0-9a-f]{64}$/);
const manifest = z.object({
  format: z.literal(1),
  madeAt: z.iso.datetime(),
  berth: z.string(),
  instance: z.string(),
  key: z.enum(keyPlaces),
  events: z.number().int(),
  sha256: z.object({ [databaseMember]: digest, [keyMember]: digest.optional() }),
});
export type Manifest = z.output<typeof manifest>;

/** Of a file, in hexadecimal. */
export const sha256 = async (path: string): Promise<string> => {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
};

const flush = (path: string): void => {
  const file = openSync(path, 'r');
  fsyncSync(file);
  closeSync(file);
};

/** A rename that survives a loss of power. */
export const renameDurably = (from: string, to: string): void => {
  flush(from);
  renameSync(from, to);
  flush(dirname(to));
};

/** Packs the members in the staging folder into `path`, which appears whole or not at all, with mode 0600. */
export const pack = async (
  staging: string,
  path: string,
  facts: Omit<Manifest, 'format' | 'sha256'>,
): Promise<void> => {
  const key = facts.key === 'in-backup' ? await sha256(join(staging, keyMember)) : undefined;
  const sums = { [databaseMember]: await sha256(join(staging, databaseMember)), [keyMember]: key };
  const content: Manifest = { format: 1, ...facts, sha256: sums };
  writeFileSync(join(staging, manifestMember), `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
  const members = [manifestMember, databaseMember, ...(key === undefined ? [] : [keyMember])];
  const packed = join(staging, 'packed.tar');
  // Ours before tar writes a byte: nobody else can read it, not even for a moment, whatever the umask.
  closeSync(openSync(packed, 'wx', 0o600));
  await execa('tar', ['-C', staging, '-cf', packed, ...members]);
  renameDurably(packed, path);
};

const damaged = (path: string, what: string): BackupRefusal =>
  new BackupRefusal(`${path} is no backup of Berth, or a damaged one: ${what}. Nothing was changed.`);

const readManifest = (path: string, staging: string): Manifest => {
  const text = readFileSync(join(staging, manifestMember), 'utf8');
  const { format } = z.object({ format: z.number() }).parse(JSON.parse(text));
  if (format > 1) {
    throw new BackupRefusal(
      `${path} was made by a newer Berth; this one cannot read it. Nothing was changed.`,
    );
  }
  return manifest.parse(JSON.parse(text));
};

/** Takes a backup apart into the staging folder. Throws a BackupRefusal for what is not exactly as it was made. */
export const unpack = async (path: string, staging: string): Promise<Manifest> => {
  const { stdout } = await execa('tar', ['-tf', path], { stderr: 'ignore' }).catch(() => {
    throw damaged(path, 'it cannot be read as a tar file');
  });
  const members = stdout.split('\n').filter(Boolean);
  const known = [manifestMember, databaseMember, keyMember];
  if (!members.includes(manifestMember) || members.some((name) => !known.includes(name))) {
    throw damaged(path, 'its members are not those of a backup');
  }
  await execa('tar', ['-C', staging, '--no-same-owner', '-xf', path], { stderr: 'ignore' }).catch(() => {
    throw damaged(path, 'it ends too early');
  });
  // A link would lead to a file that is none of the backup's.
  if (members.some((name) => !lstatSync(join(staging, name)).isFile()))
    throw damaged(path, 'a member is no file');
  let found: Manifest;
  try {
    found = readManifest(path, staging);
  } catch (error) {
    if (error instanceof BackupRefusal) throw error;
    throw damaged(path, 'its manifest cannot be read');
  }
  for (const [name, expected] of Object.entries(found.sha256)) {
    if (expected === undefined) continue;
    if (!members.includes(name)) throw damaged(path, `${name} is missing`);
    if ((await sha256(join(staging, name))) !== expected) throw damaged(path, `${name} has another checksum`);
  }
  return found;
};
