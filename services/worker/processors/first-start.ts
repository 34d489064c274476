import type { Context } from '../../../queues/consumer.ts';
import { RetryableError } from '../../../queues/errors.ts';
import { mustRunInContainer } from '../docker/exec.ts';
import { hostKeyFingerprint } from '../host-key.ts';
import type { VmHost } from '../vm-host.ts';

/** What a new container learns once: its owner's password; and what it tells: its host key's fingerprint. */

const execDeadline = 20_000;
const publicKey = '/etc/ssh/ssh_host_ed25519_key.pub';

/**
 * Sets the password of `dev`. The hash goes in by standard input, because arguments can be read in the process
 * list. Gives the fingerprint too when the VM has made its key by then, which saves asking again; else null.
 */
export const introduceOwner = async (
  { engine }: VmHost,
  { containerId, passwordHash }: { containerId: string; passwordHash: string },
  { signal }: Pick<Context, 'signal'>,
): Promise<string | null> => {
  const script = `chpasswd -e || exit 1; cat ${publicKey} 2>/dev/null; exit 0`;
  const key = await mustRunInContainer(
    engine,
    containerId,
    { argv: ['/bin/sh', '-c', script], stdin: `dev:${passwordHash}\n` },
    { signal, deadline: execDeadline },
  );
  return hostKeyFingerprint(key);
};

/** The fingerprint of a VM whose SSH server answers. */
export const readFingerprint = async (
  { engine }: VmHost,
  containerId: string,
  { signal }: Pick<Context, 'signal'>,
): Promise<string> => {
  const key = await mustRunInContainer(
    engine,
    containerId,
    { argv: ['/bin/cat', publicKey] },
    { signal, deadline: execDeadline },
  );
  const fingerprint = hostKeyFingerprint(key);
  if (fingerprint === null) throw new RetryableError('ssh-not-ready', 'the VM has no ed25519 host key');
  return fingerprint;
};
