import { execa } from 'execa';
import type { ChatMessage } from './practice-client.ts';

/** What a message tells about getting in, as a person would copy it. */
export const readAccess = (message: ChatMessage): { port: number; host: string; password: string } => {
  const [, port, user, host] = /ssh -p (\d+) (\w+)@(\S+)/.exec(message.text) ?? [];
  if (port === undefined || user !== 'dev') throw new Error(`no SSH command in: ${message.text}`);
  const codes = message.entities
    .filter(({ type }) => type === 'code')
    .map(({ offset, length }) => message.text.slice(offset, offset + length));
  const password = codes.find((code) => !code.startsWith('ssh '));
  if (password === undefined) throw new Error(`no password in: ${message.text}`);
  return { port: Number(port), host: host!, password };
};

const options = [
  ['-o', 'StrictHostKeyChecking=no'],
  ['-o', 'UserKnownHostsFile=/dev/null'],
  ['-o', 'LogLevel=ERROR'],
  ['-o', 'ConnectTimeout=10'],
].flat();

/** Runs a command through the real ssh client, with the password; gives what it printed. */
export const ssh = async (
  { port, host, password }: { port: number; host: string; password: string },
  command: string,
): Promise<string> => {
  const { stdout } = await execa(
    'sshpass',
    ['-e', 'ssh', ...options, '-p', `${port}`, `dev@${host}`, command],
    {
      env: { SSHPASS: password },
      timeout: 20_000,
    },
  );
  return stdout;
};

/** The host's key as SHA256 fingerprint, asked of the server itself. */
export const fingerprint = async ({ port, host }: { port: number; host: string }): Promise<string> => {
  const { stdout } = await execa('ssh-keyscan', ['-t', 'ed25519', '-p', `${port}`, host], {
    stderr: 'ignore',
  });
  const { stdout: line } = await execa('ssh-keygen', ['-lf', '-'], { input: stdout });
  return line.split(' ')[1]!;
};

/** The same with a private key and without a password; rejects when the key does not open the VM. */
export const sshWithKey = async (
  { port, host }: { port: number; host: string },
  keyFile: string,
  command: string,
): Promise<string> => {
  const onlyTheKey = ['BatchMode=yes', 'IdentitiesOnly=yes', 'PreferredAuthentications=publickey'];
  const { stdout } = await execa(
    'ssh',
    [
      ...options,
      ...onlyTheKey.flatMap((option) => ['-o', option]),
      ...['-i', keyFile, '-p', `${port}`, `dev@${host}`, command],
    ],
    // Whatever agent or keys the machine has, they are not tried.
    { env: { SSH_AUTH_SOCK: '' }, timeout: 20_000 },
  );
  return stdout;
};
