import type { ExecOutput } from './exec-output.ts';

/** The VM's own programs that run a command at most once, and end it with everything it started. */

const folder = '/usr/local/lib/berth';

/** The command is one argument: nobody but the shell of `dev` in the VM takes it apart. */
export const runOnce = (order: {
  operationId: string;
  timeoutSeconds: number;
  command: string;
}): string[] => [`${folder}/run-once`, order.operationId, String(order.timeoutSeconds), order.command];

export const endExecArgv = (operationId: string): string[] => [`${folder}/end-exec`, operationId];

const refusedStatus = 125;
const refusal = 'berth: this command was started before';

/** Whether run-once refused, because it found the mark of an earlier attempt. */
export const ranBefore = (exitCode: number | null, output: ExecOutput): boolean =>
  exitCode === refusedStatus && output.tail().trim() === refusal;

/** Docker's own words, where the command's output would stand. */
const dockersRefusal = /^(OCI runtime exec failed|cannot exec in a stopped)/;

/** Whether Docker could not begin at all, as in a VM that is ending; a command may print the same. */
export const mayNotHaveBegun = (output: ExecOutput): boolean => dockersRefusal.test(output.tail());
