import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';

/**
 * A Redis of Berth's own: loopback only, a password (VMs on Docker's bridges must not get in even if a port shows),
 * append-only file, no eviction. Port and password stay the same as long as the port is free.
 */

const canListen = async (port: number): Promise<number | null> => {
  const server = createServer();
  try {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    const { port: taken } = server.address() as { port: number };
    return taken;
  } catch {
    return null; // somebody else has it
  } finally {
    server.close();
  }
};

type Kept = { port: number; password: string };

const readKept = (path: string): Kept | null =>
  existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Kept) : null;

/** Writes the configuration and gives how to start the server and how to reach it. */
export const prepareRedis = async (
  dataDir: string,
): Promise<{ command: string; args: string[]; url: string }> => {
  const directory = resolve(dataDir, 'redis');
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const keptPath = join(directory, 'berth.json');
  const known = readKept(keptPath);
  const password = known?.password ?? randomBytes(24).toString('hex');
  const port = (known && (await canListen(known.port))) ?? (await canListen(0));
  if (port === null) throw new Error('no free port on 127.0.0.1 for Redis');
  writeFileSync(keptPath, JSON.stringify({ port, password }), { mode: 0o600 });
  const configuration = [
    `port ${port}`,
    'bind 127.0.0.1',
    `requirepass ${password}`,
    `dir ${directory}`,
    'appendonly yes',
    'appendfsync everysec',
    'maxmemory-policy noeviction',
    'save ""',
    'daemonize no',
  ];
  const configurationPath = join(directory, 'redis.conf');
  writeFileSync(configurationPath, `${configuration.join('\n')}\n`, { mode: 0o600 });
  return {
    // It has no channel that tells it of the supervisor's death; the kernel does.
    command: 'setpriv',
    args: ['--pdeathsig', 'TERM', 'redis-server', configurationPath],
    url: `redis://:${password}@127.0.0.1:${port}`,
  };
};
