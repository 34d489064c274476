import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import type { Berth } from './berth.ts';

/** Where something secret could lie about in a Berth: every file of its data, all of Redis, all logs. */

export const readFiles = async (folder: string): Promise<[string, string][]> => {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return Promise.all(
    entries
      .filter((entry) => entry.isFile())
      .map(async ({ parentPath, name }): Promise<[string, string]> => {
        const path = join(parentPath, name);
        return [path, await readFile(path, 'latin1')];
      }),
  );
};

export const readRedis = async (url: string): Promise<string> => {
  const client = new Redis(url);
  try {
    const keys = await client.keys('*');
    const dumps = await Promise.all(
      keys.map(async (key) => {
        switch (await client.type(key)) {
          case 'string':
            return client.get(key);
          case 'hash':
            return JSON.stringify(await client.hgetall(key));
          case 'list':
            return JSON.stringify(await client.lrange(key, 0, -1));
          case 'stream':
            return JSON.stringify(await client.xrange(key, '-', '+'));
          case 'zset':
            return JSON.stringify(await client.zrange(key, '0', '-1'));
          default:
            return JSON.stringify(await client.smembers(key));
        }
      }),
    );
    return keys.map((key, index) => `${key} ${dumps[index]}`).join('\n');
  } finally {
    client.disconnect();
  }
};

/** Names of the places that hold the text. */
export const placesWith = async (berth: Berth, text: string): Promise<string[]> => {
  const places: [string, string][] = [
    ...(await readFiles(berth.dataDir)),
    ['Redis', await readRedis(berth.redis.url)],
    ...[berth.bot(), ...berth.workers()].map(({ name, output }): [string, string] => [name, output()]),
  ];
  return places.filter(([, content]) => content.includes(text)).map(([place]) => place);
};
