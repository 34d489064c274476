import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';

/** A real redis-server of a test's own, on loopback, that can be killed, brought back and wiped. */

export type TestRedis = {
  readonly url: string;
  readonly port: number;
  /** Where its append-only file lies. */
  readonly directory: string;
  /** Of the process that runs now. */
  pid(): number;
  /** Ends it without a chance to save. */
  kill9(): Promise<void>;
  /** Starts it again, with what its append-only file kept. */
  restart(): Promise<void>;
  /** Starts it again with nothing, as one without persistence. */
  restartEmpty(): Promise<void>;
  /** Forgets everything, as an operator's FLUSHALL does. */
  wipe(): Promise<void>;
  stop(): Promise<void>;
};

export const findFreePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
};

export const startRedis = async ({ appendOnly = false } = {}): Promise<TestRedis> => {
  const directory = await mkdtemp(join(tmpdir(), 'berth-redis-'));
  const port = await findFreePort();
  const url = `redis://127.0.0.1:${port}`;
  let server: ChildProcess;

  const start = async (): Promise<void> => {
    const options = [
      ['--port', `${port}`],
      ['--bind', '127.0.0.1'],
      ['--dir', directory],
      ['--save', ''],
      ['--appendonly', appendOnly ? 'yes' : 'no'],
      ['--maxmemory-policy', 'noeviction'],
    ];
    server = spawn('redis-server', options.flat(), { stdio: 'ignore' });
    const client = new Redis(url, { retryStrategy: () => 20, maxRetriesPerRequest: null });
    client.on('error', () => undefined); // it is not up yet; the ping waits
    await client.ping();
    client.disconnect();
  };
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (server.exitCode !== null || server.signalCode !== null) return;
    const exited = once(server, 'exit');
    server.kill(signal);
    await exited;
  };

  await start();
  return {
    url,
    port,
    directory,
    pid: () => server.pid!,
    kill9: () => end('SIGKILL'),
    restart: async () => {
      await end('SIGKILL');
      await start();
    },
    restartEmpty: async () => {
      await end('SIGKILL');
      await rm(join(directory, 'appendonlydir'), { recursive: true, force: true });
      await start();
    },
    wipe: async () => {
      const client = new Redis(url);
      await client.flushall();
      client.disconnect();
    },
    stop: async () => {
      await end('SIGKILL');
      await rm(directory, { recursive: true, force: true });
    },
  };
};
