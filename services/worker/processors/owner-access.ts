import type { Access } from '../../../queues/catalog.ts';
import type { Context } from '../../../queues/consumer.ts';
import { RetryableError } from '../../../queues/errors.ts';
import { startContainer } from '../docker/containers.ts';
import { mustRunInContainer } from '../docker/exec.ts';
import { hostKeyFingerprint } from '../host-key.ts';
import type { VmHost } from '../vm-host.ts';
import { publicKeyFile, putAccess } from './put-access.ts';
import { waitUntilSshAnswers } from './ssh-readiness.ts';

/** What a container that was just started still lacks until its owner can get in. */

const execDeadline = 20_000;

type Started = { containerId: string; sshPort: number; access: Access };

/**
 * Puts the owner's access in place and waits until SSH answers, both at once. Gives the host key's fingerprint where
 * it was to be had by the way, else null. Throws as putAccess and waitUntilSshAnswers do.
 */
const letOwnerIn = async (
  host: VmHost,
  { containerId, sshPort, access }: Started,
  context: Context,
): Promise<string | null> => {
  const halting = new AbortController();
  const signal = AbortSignal.any([context.signal, halting.signal]);
  try {
    const [fingerprint] = await Promise.all([
      putAccess(host, containerId, access, { signal, deadline: execDeadline }),
      waitUntilSshAnswers(host, { containerId }, { signal }),
    ]);
    context.log.info({ containerId, sshPort }, 'SSH answers');
    return fingerprint;
  } finally {
    halting.abort(); // the one that failed ends the other
  }
};

/**
 * Starts the container, unless it runs, and sees that its owner can get in. Gives what letOwnerIn gives; throws
 * SupersededError before the start where a newer operation exists.
 */
export const startForOwner = async (
  host: VmHost,
  started: Started,
  context: Context,
): Promise<string | null> => {
  const { containerId } = started;
  await context.progress('starting');
  await host.firewall.ensure(context);
  await context.checkFence();
  await startContainer(host.engine, containerId, context);
  context.log.info({ containerId }, 'container started');
  await context.progress('ssh');
  return letOwnerIn(host, started, context);
};

/** The fingerprint of a VM whose SSH server answers. */
export const readFingerprint = async (
  { engine }: VmHost,
  containerId: string,
  { signal }: Pick<Context, 'signal'>,
): Promise<string> => {
  const command = { argv: ['/bin/cat', publicKeyFile] };
  const key = await mustRunInContainer(engine, containerId, command, { signal, deadline: execDeadline });
  const fingerprint = hostKeyFingerprint(key);
  if (fingerprint === null) throw new RetryableError('ssh-not-ready', 'the VM has no ed25519 host key');
  return fingerprint;
};
