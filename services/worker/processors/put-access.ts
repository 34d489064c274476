import type { Access } from '../../../queues/catalog.ts';
import type { CallOptions } from '../docker/engine.ts';
import { mustRunInContainer } from '../docker/exec.ts';
import { hostKeyFingerprint } from '../host-key.ts';
import type { VmHost } from '../vm-host.ts';

/**
 * How a VM's owner gets in: the password of `dev` and the keys. Both go in by standard input, because arguments can be
 * read in the process list.
 */

export const publicKeyFile = '/etc/ssh/ssh_host_ed25519_key.pub';

/**
 * Reads a revision, the number of bytes of the keys, a line for chpasswd, and the keys. Whoever comes late with an older
 * revision finds it surpassed, and does nothing; input that was cut off is not taken for less keys. It needs nothing
 * that a Debian-like system does not have, and nothing of it to be as the image made it: its owner is root there.
 */
const script = `
set -eu
umask 077
state=/var/lib/berth
keys=/etc/ssh/berth_authorized_keys
IFS= read -r revision
IFS= read -r size
IFS= read -r password
mkdir -p "$state" "$keys"
exec 9> "$state/access-lock"
flock -w 5 9
known=$(cat "$state/access-revision" 2>/dev/null || :)
case $known in ''|*[!0-9]*) known=-1;; esac
if [ "$revision" -gt "$known" ]; then
  head -c "$size" > "$keys/dev.new"
  [ "$(wc -c < "$keys/dev.new")" -eq "$size" ]
  printf '%s\\n' "$password" | chpasswd -e
  chmod 0755 "$keys"
  chmod 0644 "$keys/dev.new"
  mv -f "$keys/dev.new" "$keys/dev"
  printf '%s\\n' "$revision" > "$state/access-revision.new"
  mv -f "$state/access-revision.new" "$state/access-revision"
fi
cat ${publicKeyFile} 2>/dev/null || :
`;

export const accessCommand = ({ passwordHash, authorizedKeys, revision }: Access) => {
  const keys = authorizedKeys.map((key) => `${key}\n`).join('');
  const stdin = `${revision}\n${Buffer.byteLength(keys)}\ndev:${passwordHash}\n${keys}`;
  return { argv: ['/bin/sh', '-c', script], stdin };
};

/**
 * Puts password and keys in place, unless the VM has these or newer ones. Gives the host key's fingerprint when the VM
 * has made its key by then, which saves asking for it; else null. Throws RetryableError where the VM does not do it.
 */
export const putAccess = async (
  { engine }: VmHost,
  containerId: string,
  access: Access,
  options: CallOptions,
): Promise<string | null> => {
  return hostKeyFingerprint(await mustRunInContainer(engine, containerId, accessCommand(access), options));
};
