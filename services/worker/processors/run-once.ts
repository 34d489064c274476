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

const markerStatus = 125;
const marker = /^berth: this command (ran|was started) before/m;

/** Whether run-once refused, because the mark of an earlier attempt is there. */
export const ranBefore = (exitCode: number | null, output: ExecOutput): boolean =>
  exitCode === markerStatus && marker.test(output.tail());
