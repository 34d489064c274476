import type { Context } from '../../../queues/consumer.ts';
import { OperationError, RetryableError } from '../../../queues/errors.ts';
import { lookAgain } from '../docker/containers.ts';
import { waitForSshBanner } from '../ssh-banner.ts';
import type { VmHost } from '../vm-host.ts';

/** A VM is there for its owner when its SSH port answers; a busy host may take this long (milliseconds). */
const readyDeadline = 60_000;

/** Waits for the banner. Throws RetryableError `ssh-not-ready`, OperationError `container-vanished`. */
export const waitUntilSshAnswers = async (
  host: VmHost,
  { containerId, sshPort }: { containerId: string; sshPort: number },
  { signal }: Pick<Context, 'signal'>,
): Promise<void> => {
  const whileWaiting = async () => {
    const container = await lookAgain(host.engine, containerId, { signal });
    if (container === undefined) throw new OperationError('container-vanished', '');
    if (container.running || container.status === 'restarting') return;
    throw new RetryableError('ssh-not-ready', `its first process ended with status ${container.exitCode}`);
  };
  await waitForSshBanner({
    address: host.sshBindAddress,
    port: sshPort,
    deadline: readyDeadline,
    signal,
    whileWaiting,
  });
};
