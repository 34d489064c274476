import type { Command } from '../docker/exec.ts';

/**
 * Whether a VM's SSH server answers, asked from within the VM. The published port is of no use for that: a worker may run
 * in a container, where the host's loopback is not its own and Docker lets nobody through to another bridge. Docker itself
 * refuses to start a container whose port it cannot publish, so what is left to wait for is sshd.
 */

/**
 * Knocks at the VM's own address, as Docker's proxy does, until the banner comes or the seconds are over. An open port
 * says nothing. It runs where its owner is root: it ends by itself, and nothing it says is believed but its status.
 */
const script = `
while [ "$SECONDS" -lt "$1" ]; do
  banner=
  { IFS= read -r -t 5 -n 4 banner <&3; } 3<>"/dev/tcp/$HOSTNAME/22"
  [ "$banner" = SSH- ] && exit 0
  sleep 0.02
done 2>/dev/null
exit 1
`;

/** Ends with status 0 at the banner, with 1 after so many seconds without it. */
export const knockFor = (seconds: number): Command => ({
  argv: ['/bin/bash', '-c', script, 'knock', String(seconds)],
});
