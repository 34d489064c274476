import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import type { Place } from './disguises.ts';
import { docker, findAllContainers, findVolumes } from './docker.ts';

/** Where a secret could lie about on a machine that runs Berth; each reads it all, as bytes. */

/** Every file below the folder, whatever kind; one that is gone meanwhile is left out. */
export const filesIn = async (folder: string): Promise<Place[]> => {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  const read = await Promise.all(
    files.map(async (path) => ({ place: path, bytes: await readFile(path).catch(() => null) })),
  );
  return read.flatMap(({ place, bytes }) => (bytes === null ? [] : [{ place, bytes }]));
};

const flat = (value: unknown): Buffer[] =>
  Array.isArray(value) ? value.flatMap(flat) : [Buffer.isBuffer(value) ? value : Buffer.from(String(value))];

const readKey = async (redis: Redis, key: Buffer): Promise<unknown> => {
  switch (await redis.type(key)) {
    case 'string':
      return redis.getBuffer(key);
    case 'hash':
      return redis.callBuffer('HGETALL', key);
    case 'list':
      return redis.lrangeBuffer(key, 0, -1);
    case 'set':
      return redis.smembersBuffer(key);
    case 'zset':
      return redis.callBuffer('ZRANGE', key, '0', '-1');
    case 'stream':
      return redis.xrangeBuffer(key, '-', '+');
    default:
      return ''; // it is gone
  }
};

/** Every key with its value, what Redis tells of its clients, and its slowest commands. */
export const everythingIn = async (redis: Redis): Promise<Place[]> => {
  const keys = (await redis.callBuffer('KEYS', '*')) as Buffer[];
  const values = await Promise.all(
    keys.map(async (key) => ({
      place: `Redis, ${key.toString()}`,
      bytes: Buffer.concat([key, ...flat(await readKey(redis, key))]),
    })),
  );
  const about = [await redis.call('CLIENT', 'LIST'), await redis.call('SLOWLOG', 'GET', '128')];
  return [...values, { place: 'what Redis tells of its clients', bytes: Buffer.concat(flat(about)) }];
};

/** Everything that Docker tells of an instance. */
export const dockerOf = async (instance: string): Promise<Place[]> => {
  const containers = await findAllContainers(instance);
  const networks = await docker.listNetworks({ filters: { label: [`berth.instance=${instance}`] } });
  const told = [
    ...(await Promise.all(containers.map(({ Id }) => docker.getContainer(Id).inspect()))),
    ...(await findVolumes(instance)),
    ...networks,
  ];
  return told.map((one) => ({ place: 'docker inspect', bytes: Buffer.from(JSON.stringify(one)) }));
};

const parentOf = (stat: string): number => Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);

/** Processes by id, as the kernel shows them to root: those of VMs and of Docker among them. */
const readProcesses = async () => {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const read = async (pid: number) => {
    try {
      const [stat, cmdline, environ] = await Promise.all(
        ['stat', 'cmdline', 'environ'].map((file) => readFile(`/proc/${pid}/${file}`)),
      );
      return { pid, parent: parentOf(stat!.toString()), cmdline: cmdline!, environ: environ! };
    } catch {
      return null; // it has ended meanwhile
    }
  };
  return (await Promise.all(pids.map(read))).filter((one) => one !== null);
};

/**
 * Arguments and environment of every process of the machine, but of this one and what it has started itself, `except` for
 * that one of them and its children.
 */
export const processes = async ({ except }: { except: number[] }): Promise<Place[]> => {
  const all = await readProcesses();
  const parents = new Map(all.map(({ pid, parent }) => [pid, parent]));
  const isOurs = (pid: number): boolean => {
    for (let at: number | undefined = pid; at !== undefined && at > 1; at = parents.get(at)) {
      if (except.includes(at)) return false;
      if (at === process.pid) return true;
    }
    return false;
  };
  return all
    .filter(({ pid }) => !isOurs(pid))
    .flatMap(({ pid, cmdline, environ }) => {
      const name = cmdline.toString().split('\0').slice(0, 2).join(' ').slice(0, 60);
      return [
        { place: `arguments of process ${pid} (${name})`, bytes: cmdline },
        { place: `environment of process ${pid} (${name})`, bytes: environ },
      ];
    });
};

/** Every command that reaches Redis from now on, what is published included, until `stop`. */
export const monitorRedis = async (url: string) => {
  const redis = new Redis(url);
  const monitor = await redis.monitor();
  const seen: string[] = [];
  monitor.on('monitor', (_time: string, args: string[]) => seen.push(args.join(' ')));
  return {
    place: (): Place => ({ place: 'what passed Redis', bytes: Buffer.from(seen.join('\n')) }),
    stop: () => {
      monitor.disconnect();
      redis.disconnect();
    },
  };
};

/**
 * Docker's events of an instance from now on, as text, and at each of them all processes of the machine: what is there
 * only while a command starts is seen too.
 */
export const watchDocker = async (instance: string, options: { except: number[] }) => {
  const stream = await docker.getEvents({ filters: { label: [`berth.instance=${instance}`] } });
  const seen: Place[] = [];
  let looking = Promise.resolve();
  stream.on('data', (piece: Buffer) => {
    seen.push({
      place: `docker events: ${JSON.parse(piece.toString().split('\n')[0]!).Action}`,
      bytes: piece,
    });
    looking = looking.then(async () => {
      seen.push(...(await processes(options)));
    });
  });
  return {
    /** What was seen since the last time. */
    async take(): Promise<Place[]> {
      await looking;
      return seen.splice(0);
    },
    stop: () => (stream as unknown as { destroy(): void }).destroy(),
  };
};
