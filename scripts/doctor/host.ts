import { constants } from 'node:fs';
import { access, mkdir, stat, statfs } from 'node:fs/promises';
import { createServer } from 'node:net';
import { cpus, totalmem } from 'node:os';
import { execa } from 'execa';
import { formatBytes } from '../../services/bot/format/numbers.ts';
import { type Finding, failure, ok, warning } from './check.ts';

/** What the machine itself offers: Node, memory, the data folder, ports. */

export const checkNode = async (): Promise<Finding> =>
  Number.parseInt(process.versions.node, 10) >= 24
    ? ok('Node', process.versions.node)
    : failure('Node', process.versions.node, 'Node 24 is needed; ./scripts/start brings it.');

export const checkCapacity = async (): Promise<Finding> => {
  const found = `${cpus().length} CPUs, ${formatBytes(totalmem())} memory`;
  return totalmem() < 3 * 1024 ** 3
    ? warning(
        'capacity',
        found,
        'A VM of the smallest plan takes 2 GB; make plans smaller with /config_plan.',
      )
    : ok('capacity', found);
};

/** Network file systems lose SQLite's locks. Magic numbers of statfs(2). */
const remote: Record<number, string> = {
  26985: 'NFS',
  4283649346: 'CIFS',
  1702057286: 'FUSE',
  16914839: '9p',
};
const enough = 2 * 1024 ** 3;

export const checkDataDir = async (dataDir: string): Promise<Finding> => {
  const name = 'data folder';
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  try {
    await access(dataDir, constants.W_OK);
  } catch {
    return failure(
      name,
      `${dataDir} is not writable`,
      'Give it to the user who runs Berth, or set DATA_DIR.',
    );
  }
  const { type, bavail, bsize } = await statfs(dataDir);
  const free = bavail * bsize;
  const kind = remote[type];
  if (kind !== undefined) {
    return failure(name, `${dataDir} is on ${kind}`, 'The database needs a local file system: set DATA_DIR.');
  }
  if (free < enough)
    return warning(name, `${dataDir}, ${formatBytes(free)} free`, 'Make room: 2 GB at least.');
  const { mode } = await stat(dataDir);
  return (mode & 0o077) === 0
    ? ok(name, `${dataDir}, ${formatBytes(free)} free`)
    : warning(name, `${dataDir} can be read by others`, `chmod 700 ${dataDir}`);
};

const isFree = (port: number, host: string): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer()
      .once('error', () => resolve(false))
      .once('listening', () => server.close(() => resolve(true)))
      .listen(port, host);
  });

/** A port that is in use may be in use by Berth itself: `answers` says so. */
export const checkPort = async (
  name: string,
  variable: string,
  { port, host }: { port: number; host: string },
): Promise<Finding> => {
  if (await isFree(port, host)) return ok(name, `port ${port} is free`);
  const ours = await fetch(`http://${host}:${port}/healthz`, { signal: AbortSignal.timeout(2_000) })
    .then((response) => response.ok)
    .catch(() => false);
  return ours
    ? ok(name, `port ${port}, Berth is running`)
    : failure(name, `port ${port} is in use by another program`, `End that program, or set ${variable}.`);
};

export const checkProgram = async (program: string, needed: string): Promise<Finding> => {
  try {
    await execa(program, ['--version']);
    return ok(program, 'is there');
  } catch {
    return failure(program, 'is not there', `${needed}; ./scripts/start installs it.`);
  }
};
