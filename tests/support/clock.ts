import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const preload = `--import=${join(import.meta.dirname, 'clock-ahead.ts')}`;

/** The environment of a service whose clock is that far ahead, in milliseconds. */
export const clockEnv = (ahead: number): NodeJS.ProcessEnv => ({
  NODE_OPTIONS: preload,
  CLOCK_AHEAD_MS: `${ahead}`,
});

/** A clock for several services that can be set while they run. */
export const createClock = async () => {
  const folder = await mkdtemp(join(tmpdir(), 'berth-clock-'));
  const file = join(folder, 'ahead');
  /** To that many milliseconds ahead of the machine's. Nobody ever reads half of it. */
  const set = async (ahead: number): Promise<void> => {
    await writeFile(`${file}.new`, `${ahead}`);
    await rename(`${file}.new`, file);
  };
  await set(0);
  const env: NodeJS.ProcessEnv = { NODE_OPTIONS: preload, CLOCK_AHEAD_FILE: file };
  return { env, set, remove: () => rm(folder, { recursive: true }) };
};
