import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
};

/** What a run that was killed has left: it may hold a key. */
const removeLeftovers = (folder: string): void => {
  for (const name of readdirSync(folder)) {
    const [, pid] = /^\.staging-(\d+)-/.exec(name) ?? [];
    if (pid !== undefined && !isAlive(Number(pid))) rmSync(join(folder, name), { recursive: true });
  }
};

/**
 * Gives the work a staging folder inside `folder`, on the same file system for the rename at the end, readable by
 * nobody else; removes it afterwards, also on Ctrl-C, for it holds the key.
 */
export const withStaging = async <T>(folder: string, work: (staging: string) => Promise<T>): Promise<T> => {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  removeLeftovers(folder);
  const staging = mkdtempSync(join(folder, `.staging-${process.pid}-`));
  const remove = (): void => rmSync(staging, { recursive: true, force: true });
  const end = (): void => {
    remove();
    process.exit(130);
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.once(signal, end);
  try {
    return await work(staging);
  } finally {
    for (const signal of signals) process.off(signal, end);
    remove();
  }
};
