import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import Docker from 'dockerode';
import { docker as machinesDocker } from './docker.ts';

/**
 * A Docker engine newer than the machine's own, for one test file, in namespaces of its own (second-engine.sh).
 *
 * Its socket is a file, reachable from everywhere. Its network is joined to the machine's by a virtual cable:
 * what a container publishes on `address` is reachable under it from here as well. So a worker stays an ordinary
 * process beside its Redis on loopback, with `env` among its variables, and `ssh` finds the VMs too. The engine's
 * containers have no way to the internet.
 *
 * One runs at a time: its images stay in the tree, so that each is carried over once per machine.
 */

export type SecondEngine = {
  /** The engine, as seen from outside of Berth. */
  readonly docker: Docker;
  /** As in DOCKER_HOST. */
  readonly dockerHost: string;
  /** The IPv4 address on which its containers can publish ports for this machine. */
  readonly address: string;
  /** What bot and worker need for VMs on it: `startBerth({ env: engine.env })`. */
  readonly env: { DOCKER_HOST: string; SSH_BIND_ADDRESS: string; SSH_PUBLIC_HOST: string };
  /** Brings an image of the machine's own engine; true when it had to be carried over. */
  importImage(name: string): Promise<boolean>;
  /**
   * `restart`: the engine ends in order, and its containers with it; `power-cycle`: everything is gone at once, as when
   * the host loses its power. Resolves when the engine answers again, with the containers it had.
   */
  begin(how: 'restart' | 'power-cycle'): Promise<void>;
  /** Ends it with all that runs on it. */
  stop(): Promise<void>;
};

/** Of a CDI specification, what tests make up; cdiVersion 0.5.0. */
export type CdiSpecification = {
  /** `vendor.com/class`; a device of it is then `vendor.com/class=name`. */
  kind: string;
  devices: {
    name: string;
    containerEdits: { env?: string[]; deviceNodes?: { path: string; hostPath: string }[] };
  }[];
};

const tree = join(import.meta.dirname, '../../.tools/second-engine/tree');
const script = join(import.meta.dirname, 'second-engine.sh');

/** Two neighbours in a network of their own, from the range that is set apart for tests of networks (RFC 2544). */
const newAddresses = (): { address: string; peer: string } => {
  const network = `198.${randomInt(18, 20)}.${randomInt(256)}`;
  const first = randomInt(64) * 4;
  return { address: `${network}.${first + 2}`, peer: `${network}.${first + 1}` };
};

/** Resolves once the engine says that it listens; rejects with its last words when it ends before. */
const untilItListens = (engine: ChildProcess, output: Interface): Promise<void> => {
  const lastLines: string[] = [];
  return new Promise((resolve, reject) => {
    const take = (line: string): void => {
      lastLines.push(line);
      if (lastLines.length > 20) lastLines.shift();
      if (!line.includes('API listen on')) return;
      output.off('line', take);
      resolve();
    };
    output.on('line', take);
    engine.on('error', reject);
    engine.on('exit', () => reject(new Error(`the second engine ended:\n${lastLines.join('\n')}`)));
  });
};

/** Everything but the images. A run that was killed may have left containers, which start again by themselves. */
const removeEverything = async (docker: Docker): Promise<void> => {
  const containers = await docker.listContainers({ all: true });
  await Promise.all(containers.map(({ Id }) => docker.getContainer(Id).remove({ force: true, v: true })));
  const { Volumes } = await docker.listVolumes();
  await Promise.all((Volumes ?? []).map(({ Name }) => docker.getVolume(Name).remove()));
  await docker.pruneNetworks();
};

const idOf = (docker: Docker, name: string): Promise<string | undefined> =>
  docker
    .getImage(name)
    .inspect()
    .then(
      ({ Id }) => Id,
      (error: { statusCode?: number }) => {
        if (error.statusCode === 404) return undefined;
        throw error;
      },
    );

const importImage = async (docker: Docker, name: string): Promise<boolean> => {
  const wanted = await idOf(machinesDocker, name);
  if (wanted === undefined) throw new Error(`the machine's own engine has no image ${name}`);
  if ((await idOf(docker, name)) === wanted) return false;
  const answer = await text(
    (await docker.loadImage((await machinesDocker.getImage(name).get()) as Readable)) as Readable,
  );
  if ((await idOf(docker, name)) !== wanted) throw new Error(`${name} was not carried over: ${answer}`);
  await docker.pruneImages(); // the one that bore the name before
  return true;
};

/** Resolves when the engine answers, about a second later; with other runs on this machine, once those ended. */
export const startSecondEngine = async (cdi?: CdiSpecification): Promise<SecondEngine> => {
  if (process.getuid?.() !== 0) throw new Error('a second Docker engine needs root');
  if (!existsSync(tree)) throw new Error('the second Docker engine is not there: ./scripts/test brings it');
  const share = await mkdtemp(join(tmpdir(), 'berth-engine-'));
  await mkdir(join(share, 'cdi'));
  if (cdi !== undefined) {
    await writeFile(join(share, 'cdi/test.json'), JSON.stringify({ cdiVersion: '0.5.0', ...cdi }));
  }
  const configuration = {
    features: { cdi: true },
    'cdi-spec-dirs': ['/share/cdi'],
    'cgroup-parent': `/${basename(share)}`,
  };
  await writeFile(join(share, 'daemon.json'), JSON.stringify(configuration));

  const { address, peer } = newAddresses();
  // A session of its own: Ctrl-C is for the tests, and the engine ends after them, with its standard input.
  const engine = spawn(script, [tree, share, address, peer], {
    detached: true,
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  const exited = once(engine, 'exit');
  const socketPath = join(share, 'docker.sock');
  const dockerHost = `unix://${socketPath}`;
  const docker = new Docker({ socketPath });
  const end = async () => {
    engine.stdin!.end();
    await exited;
  };

  const output = createInterface({ input: engine.stderr! });
  await untilItListens(engine, output);
  try {
    await removeEverything(docker);
  } catch (error) {
    await end();
    throw error;
  }
  return {
    docker,
    dockerHost,
    address,
    env: { DOCKER_HOST: dockerHost, SSH_BIND_ADDRESS: address, SSH_PUBLIC_HOST: address },
    importImage: (name) => importImage(docker, name),
    begin: async (how) => {
      const listening = untilItListens(engine, output);
      engine.stdin!.write(`${how}\n`);
      await listening;
    },
    stop: () => removeEverything(docker).finally(end),
  };
};
