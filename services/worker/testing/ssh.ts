import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { password as rightPassword } from './vm-host.ts';

/** Runs a command over SSH as a person would, and gives the fingerprint of the host key that was met. */
export const ssh = async (port: number, command: string, password = rightPassword) => {
  const folder = await mkdtemp(join(tmpdir(), 'berth-ssh-'));
  const knownHosts = join(folder, 'known_hosts');
  try {
    const options = [
      `UserKnownHostsFile=${knownHosts}`,
      'StrictHostKeyChecking=accept-new',
      'HostKeyAlgorithms=ssh-ed25519',
      'HashKnownHosts=no',
      'PreferredAuthentications=password',
    ].flatMap((option) => ['-o', option]);
    const { stdout } = await execa(
      'sshpass',
      ['-e', 'ssh', '-q', ...options, '-p', String(port), 'dev@127.0.0.1', command],
      { env: { SSHPASS: password } },
    );
    await readFile(knownHosts);
    const { stdout: key } = await execa('ssh-keygen', ['-lf', knownHosts]);
    return { stdout, fingerprint: key.split(' ')[1] };
  } finally {
    await rm(folder, { recursive: true });
  }
};
