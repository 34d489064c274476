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

/** The exit code of what SIGKILL ended. */
export const killed = 137;

const refusedStatus = 125;
const refusal = 'berth: this command was started before';

/** Whether run-once refused, because it found the mark of an earlier attempt. */
export const ranBefore = (exitCode: number | null, output: ExecOutput): boolean =>
  exitCode === refusedStatus && output.tail().trim() === refusal;

/** The exit code that Docker gives what it could not begin, and shells what they may not run. */
const notBegun = 126;

/**
 * Docker's, containerd's and runc's own words, where the command's output would stand: each state of a container
 * that is ending (stopped, deleted) has its own.
 */
const dockersRefusal =
  /^(OCI runtime exec failed|cannot exec in a |cannot exec a container|ttrpc: closed|container not running|process does not exist|task \S+ not found)/;

/** Whether Docker could not begin at all, as in a VM that is ending; a command may print the same. */
export const mayNotHaveBegun = (output: ExecOutput): boolean => dockersRefusal.test(output.tail());

/** Whether the VM's end may be the reason that it ended so: worth another look at the VM. */
export const mayHaveDied = (exitCode: number | null, output: ExecOutput): boolean =>
  exitCode === null || exitCode === killed || exitCode === notBegun || mayNotHaveBegun(output);
