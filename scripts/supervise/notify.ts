import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/**
 * Tells systemd, where it started this process and wants to know, that Berth is ready: `systemctl start` waits for it.
 * The socket is of a kind that Node does not speak, the program that comes with systemd does.
 */
export const notifyReady = async (
  status: string,
  { NOTIFY_SOCKET, PATH }: NodeJS.ProcessEnv,
): Promise<void> => {
  if (!NOTIFY_SOCKET) return;
  await promisify(execFile)('systemd-notify', ['--ready', `--pid=${process.pid}`, `--status=${status}`], {
    env: { NOTIFY_SOCKET, PATH },
    timeout: 10_000,
  });
};
