import { execFile, spawn } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

/**
 * cloudflared as a child that never outlives the gateway: `setpriv --pdeathsig` has the kernel kill it when the gateway
 * dies, however that comes about, and the shell between them looks whether it had died before that was arranged.
 */

const run = promisify(execFile);

export type ChildEnv = { PATH: string; [name: string]: string };

export type Child = {
  pid: number;
  /** With its exit status, or null where a signal ended it. */
  exited: Promise<number | null>;
  /** It has read its files, which are removed then. */
  forgetFiles(): Promise<void>;
  /** Ends it: in order, and after three seconds by force. */
  stop(): Promise<void>;
};

const orderlyMs = 3_000;
const onlyWhileParentLives = 'test "$PPID" = "$0" && exec "$@"';
/** Without setpriv (outside Linux) nothing but an orderly shutdown ends the child. */
const wrap = async (command: string[], env: ChildEnv): Promise<string[]> => {
  const bound = ['setpriv', '--pdeathsig', 'KILL', '--'];
  try {
    await run(bound[0]!, [...bound.slice(1), 'true'], { env, timeout: 5_000 });
  } catch {
    return command;
  }
  return [...bound, 'sh', '-c', onlyWhileParentLives, String(process.pid), ...command];
};

/** `2025.8.1`; null where the program is missing or does not answer. */
export const readVersion = async (program: string, env: ChildEnv): Promise<string | null> => {
  try {
    const { stdout } = await run(program, ['--version'], {
      env: { ...env, HOME: '/nonexistent' },
      timeout: 10_000,
    });
    return /version (\d+\.\d+\.\d+)/.exec(stdout)?.[1] ?? null;
  } catch {
    return null;
  }
};

/** Whether versions of the form `2025.4.0` are in that order. */
export const isAtLeast = (version: string, wanted: string): boolean =>
  version.localeCompare(wanted, 'en', { numeric: true }) >= 0;

const folderName = (instance: string, pid: number | string) => `berth-tunnel-${instance}-${pid}-`;

/** Folders of gateways that were killed in the second in which they had one. */
export const sweepFolders = async (instance: string): Promise<void> => {
  const pattern = new RegExp(`^${folderName(instance, '(\\d+)')}`);
  for (const name of await readdir(tmpdir())) {
    const pid = pattern.exec(name)?.[1];
    if (pid === undefined || isAlive(Number(pid))) continue;
    await rm(join(tmpdir(), name), { recursive: true, force: true });
  }
};
const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
};

/**
 * Starts it with a home of its own, so that no configuration of the machine's user or of /etc/cloudflared gets in. The
 * token goes by a file that only we may read, never by argv or environment.
 */
export const startChild = async (options: {
  program: string;
  instance: string;
  args: (configFile: string) => string[];
  env: ChildEnv;
  token: string | null;
  onLine: (line: string) => void;
}): Promise<Child> => {
  const { program, instance, token } = options;
  const home = await mkdtemp(join(tmpdir(), folderName(instance, process.pid)));
  const forgetFiles = () => rm(home, { recursive: true, force: true });
  try {
    const config = join(home, 'config.yml');
    await writeFile(config, 'no-autoupdate: true\n', { mode: 0o600 });
    const env: ChildEnv = { ...options.env, HOME: home };
    if (token !== null) {
      env.TUNNEL_TOKEN_FILE = join(home, 'token');
      await writeFile(env.TUNNEL_TOKEN_FILE, token, { mode: 0o600 });
    }
    const [file, ...args] = await wrap([program, ...options.args(config)], env);
    const child = spawn(file!, args, { env, stdio: ['ignore', 'ignore', 'pipe'] });
    createInterface({ input: child.stderr }).on('line', options.onLine);
    const exited = new Promise<number | null>((resolve) => {
      child.once('error', () => resolve(null)); // the program vanished since it was asked for its version
      child.once('close', (status) => resolve(status));
    });
    void exited.then(forgetFiles);
    let stopping: Promise<void> | undefined;
    const stop = async (): Promise<void> => {
      const force = setTimeout(() => child.kill('SIGKILL'), orderlyMs);
      child.kill('SIGTERM');
      await exited;
      clearTimeout(force);
      await forgetFiles();
    };
    return { pid: child.pid ?? 0, exited, forgetFiles, stop: () => (stopping ??= stop()) };
  } catch (error) {
    await forgetFiles();
    throw error;
  }
};
