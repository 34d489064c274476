/** Why a backup or a restore was not made; nothing was changed. The message says what to do. */
export class BackupRefusal extends Error {
  override name = 'BackupRefusal';
}

/** Ends a tool in order: a refusal is one sentence on standard error, anything else keeps its stack. Status 1. */
export const runTool = async (work: () => Promise<void>): Promise<void> => {
  try {
    await work();
  } catch (error) {
    const isExpected = error instanceof Error && (error instanceof BackupRefusal || isUsage(error));
    process.stderr.write(`${isExpected ? error.message : ((error as Error).stack ?? error)}\n`);
    process.exitCode = 1;
  }
};

/** What node:util's parseArgs says about a wrong option. */
const isUsage = (error: Error): boolean =>
  String((error as NodeJS.ErrnoException).code).startsWith('ERR_PARSE_ARGS');
