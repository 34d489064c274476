import type Docker from 'dockerode';
import type { Berth } from '../support/berth.ts';
import type { ChatMessage } from '../support/practice-client.ts';
import { readFiles, readRedis } from '../support/stored.ts';
import { readHost } from './evidence.ts';
import type { Slot } from './slots.ts';

/** Passwords, as the chat has told them; and every place outside of it where they must not be. */

/** The code entity that stands below those words; the others there are the SSH command and ids. */
const announced = 'Touch to see the password';

export const passwordsIn = (messages: readonly ChatMessage[]): string[] =>
  messages
    .filter(({ fromBot, text }) => fromBot && text.includes(announced))
    .flatMap(({ text, entities }) =>
      entities
        .filter(({ type, offset }) => type === 'code' && offset > text.indexOf(announced))
        .map(({ offset, length }) => text.slice(offset, offset + length))
        .filter((shown) => !shown.startsWith('ssh ')),
    );

const inspectAll = async (docker: Docker, instance: string): Promise<[string, string][]> => {
  const { containers } = await readHost(docker, instance);
  return Promise.all(
    containers.map(async ({ id }): Promise<[string, string]> => {
      const container = await docker.getContainer(id).inspect();
      const execs = await Promise.all(
        (container.ExecIDs ?? []).map((exec) => docker.getExec(exec).inspect()),
      );
      return [`docker inspect of ${id}`, JSON.stringify([container, execs])];
    }),
  );
};

/** The database with its log, Redis with its file, every line that a process wrote, and what Docker tells. */
export const findSecrets = async (
  { berth, docker, slots, folder }: { berth: Berth; docker: Docker; slots: readonly Slot[]; folder: string },
  secrets: ReadonlySet<string>,
): Promise<string[]> => {
  const places = [
    ...(await readFiles(berth.dataDir)),
    ...(await readFiles(berth.redis.directory)),
    ...(await readFiles(folder)),
    ['Redis', await readRedis(berth.redis.url)] as [string, string],
    ...slots
      .flatMap((slot) => slot.lives())
      .map(({ name, process }): [string, string] => [`the log of ${name}`, process.output()]),
    ...(await inspectAll(docker, berth.instance)),
  ];
  return places.flatMap(([place, content]) =>
    [...secrets]
      .filter((secret) => content.includes(secret))
      .map((secret) => `password ${secret} is in ${place}`),
  );
};
