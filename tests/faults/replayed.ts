import { execa } from 'execa';

/** Rebuilds the projections as an operator would, with the bot stopped; gives what came out differently. */
export const findDifferences = async (dataDir: string): Promise<string[]> => {
  const { stdout, exitCode } = await execa(process.execPath, ['scripts/replay.ts'], {
    cwd: `${import.meta.dirname}/../..`,
    env: { DATA_DIR: dataDir, LOG_LEVEL: 'silent' },
    reject: false,
  });
  return exitCode === 0 ? [] : [`the projections do not equal their replay:\n${stdout}`];
};
