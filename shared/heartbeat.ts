import { writeFile } from 'node:fs/promises';
import type { Lifecycle } from './lifecycle.ts';
import type { Log } from './log.ts';

/**
 * A file that a living process touches, for whoever looks after processes without HTTP, such as a container's health
 * check: as old as `beatEvery` at most as long as the process is ready and its event loop turns. What it needs from
 * others, Redis or Docker, has no part in it: starting it anew would bring none of them back.
 */

/** Milliseconds. */
const beatEvery = 5_000;

/** Begins at once, and ends with the process. */
export const startHeartbeat = async (file: string, { onShutdown }: Lifecycle, log: Log): Promise<void> => {
  let failed = false;
  const beat = async (): Promise<void> => {
    try {
      await writeFile(file, '');
      failed = false;
    } catch (err) {
      if (!failed) log.warn({ err, file }, 'the heartbeat could not be written');
      failed = true;
    }
  };
  await beat();
  const timer = setInterval(beat, beatEvery);
  onShutdown('heartbeat', () => clearInterval(timer));
};
