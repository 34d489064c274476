import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** What the VM image is made from. Its hash is a label of the image, so that a changed recipe shows. */

export type VmRecipe = {
  /** The folder that `files` are in. */
  context: string;
  dockerfile: string;
  files: string[];
  hash: string;
};

const root = join(import.meta.dirname, '../..');
const dockerfile = 'Dockerfile.vm';

/** Reads the recipe for a base image; the same files and base give the same hash on every machine. */
export const readVmRecipe = async (baseImage: string, context = root): Promise<VmRecipe> => {
  const inFolder = (await readdir(join(context, 'vm'))).filter((name) => !name.endsWith('.test.ts')).sort();
  const files = [dockerfile, ...inFolder.map((name) => `vm/${name}`)];
  const hash = createHash('sha256').update(`${baseImage}\0`);
  for (const file of files) {
    const executable = ((await stat(join(context, file))).mode & 0o100) !== 0;
    hash
      .update(`${file}\0${executable}\0`)
      .update(await readFile(join(context, file)))
      .update('\0');
  }
  return { context, dockerfile, files, hash: hash.digest('hex') };
};
