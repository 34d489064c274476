import type { ContainerCreateOptions } from 'dockerode';
import type { DiskLane } from '../../../queues/catalog.ts';
import { type CallOptions, type Engine, isRefusal } from './engine.ts';
import { createFrameReader } from './output-frames.ts';
import { newProbe, removeProbe } from './probes.ts';

/**
 * How much disk VMs use, counted from outside: root in a VM could put a program of their own in the place of `du`. A
 * container of the VM image walks through the files as they lie on the host, with the folders of all VMs mounted
 * read-only. It runs nothing of the VMs, follows no links, prints no names, and has little of CPU, disk and memory.
 *
 * layer — what a container has changed of its image; home — its volume; files — Docker's own, such as /etc/hosts, which lie
 *   beside the layer and which root in the VM may write.
 * walk — looking at every file once. A file with several names counts in parts, so that nothing has to be remembered.
 */

export type Places = { layer: string | null; home: string | null; files: string[] };
/** Bytes. Not `complete` where time ran out: then it is more than that. */
export type Use = { bytes: number; complete: boolean };

/** Seconds. `walk`: for one folder; `all`: for all of them. */
const limits: Record<DiskLane, { walk: number; all: number }> = {
  quick: { walk: 10, all: 50 },
  slow: { walk: 15 * 60, all: 30 * 60 },
};

/** One walk: prints its arguments' first (a number), the bytes, and how it ended; nothing where there is no such folder. */
const walk = `
{ timeout --foreground "$0" find "$2" -xdev -printf '%b %n %y\\n' 2>/dev/null; echo "end $?"; } | awk -v id="$1" '
  $1 == "end" { status = $2; next }
  { blocks += $3 == "d" ? $1 : $1 / $2; files++ }
  END { if (files) printf "%d %.0f %d\\n", id, blocks * 512, status }'`;

/** Two at a time: as much as a busy host gives without anybody feeling it. */
const script = `
seconds=$1 walk=$2; shift 2
printf '%s\\0' "$@" | nice -n 19 ionice -c 3 xargs -0 -P 2 -n 2 sh -c "$walk" "$seconds"
`;

const timedOut = 124;

/** The folder that holds those of all containers, or all volumes: what is mounted stays there when a VM goes. */
const splitAt = (path: string): { base: string; rest: string } => {
  const parts = path.split('/');
  return { base: parts.slice(0, -2).join('/'), rest: parts.slice(-2).join('/') };
};

const containerFor = (
  probe: ReturnType<typeof newProbe>,
  { image, lane, folders }: { image: string; lane: DiskLane; folders: readonly string[] },
): ContainerCreateOptions => {
  const bases = [...new Set(folders.map((path) => splitAt(path).base))];
  const walks = folders.flatMap((path, index) => {
    const { base, rest } = splitAt(path);
    return [String(index), `/mnt/${bases.indexOf(base)}/${rest}`];
  });
  const { walk: seconds, all } = limits[lane];
  return {
    ...probe,
    Image: image,
    User: 'root',
    Entrypoint: ['timeout', String(all), 'sh', '-c', script, 'sh', String(seconds), walk],
    Cmd: walks,
    HostConfig: {
      NetworkMode: 'none',
      ReadonlyRootfs: true,
      CapDrop: ['ALL'],
      CapAdd: ['DAC_READ_SEARCH'],
      // Where SELinux keeps containers' files apart, this one looks into all of them.
      SecurityOpt: ['no-new-privileges:true', 'label=disable'],
      Memory: 128 * 1024 ** 2,
      MemorySwap: 128 * 1024 ** 2,
      PidsLimit: 64,
      CpuShares: 256,
      LogConfig: { Type: 'json-file', Config: {} },
      Mounts: bases.map((base, index) => ({
        Type: 'bind' as const,
        Source: base,
        Target: `/mnt/${index}`,
        ReadOnly: true,
        // Without the file systems of running containers, which are mounted below; what is unmounted is so here, too.
        BindOptions: { Propagation: 'rslave' as const, NonRecursive: true },
      })),
    },
  };
};

const readUses = (logs: Buffer): Map<number, Use> => {
  const pieces: Buffer[] = [];
  createFrameReader((piece) => pieces.push(piece))(logs);
  const lines = Buffer.concat(pieces)
    .toString()
    .matchAll(/^(\d+) (\d+) (\d+)$/gm);
  return new Map(
    [...lines].map(([, index, bytes, status]) => [
      Number(index),
      { bytes: Number(bytes), complete: Number(status) !== timedOut },
    ]),
  );
};

/** Also of a worker that died: once it is due, its container is in the way. */
const isInTheWay = async (engine: Engine, name: string): Promise<boolean> => {
  const found = await engine.call('inspecting a probe', (docker) => docker.getContainer(name).inspect());
  return !(Date.parse(found.Config.Labels['berth.probe'] ?? '') > Date.now());
};

/** False where another worker's is at it. */
const make = async (engine: Engine, order: ContainerCreateOptions & { name: string }): Promise<boolean> => {
  const create = () => engine.call('creating a probe', (docker) => docker.createContainer(order));
  try {
    await create();
  } catch (error) {
    if (!isRefusal(error, 409)) throw error;
    if (!(await isInTheWay(engine, order.name))) return false;
    await removeProbe(engine, order.name);
    await create();
  }
  return true;
};

/**
 * Walks through the folders and gives what each holds, by its index; one that is gone, or was not reached in time, is
 * missing. Null where another worker is at it. A host has one walk per lane at a time.
 */
export const walkFolders = async (
  engine: Engine,
  {
    instance,
    image,
    lane,
    folders,
  }: { instance: string; image: string; lane: DiskLane; folders: readonly string[] },
  options: CallOptions,
): Promise<Map<number, Use> | null> => {
  const lasts = (limits[lane].all + 30) * 1_000;
  const probe = newProbe(instance, { purpose: `disk-${lane}`, lasts });
  const { name } = probe;
  if (!(await make(engine, { ...containerFor(probe, { image, lane, folders }), name }))) return null;
  try {
    await engine.call('starting a probe', (docker) => docker.getContainer(name).start(), {
      ...options,
      deadline: 20_000,
    });
    await engine.call(
      'waiting for a probe',
      (docker, abortSignal) => docker.getContainer(name).wait({ abortSignal }),
      { ...options, deadline: lasts },
    );
    const logs = await engine.call(
      'reading a probe',
      (docker) => docker.getContainer(name).logs({ stdout: true, follow: false }),
      options,
    );
    return readUses(logs);
  } finally {
    await removeProbe(engine, name);
  }
};

/**
 * What Docker itself says of a container's layer, for storage drivers whose layers are no folders. It counts a file by
 * its length, holes and all.
 */
export const askForLayer = async (
  engine: Engine,
  id: string,
  options: CallOptions,
): Promise<number | null> => {
  const found = await engine.call(
    'asking for the size of a container',
    (docker, abortSignal) => {
      const order = { size: true, abortSignal }; // dockerode knows the first, its types do not
      return docker.getContainer(id).inspect(order);
    },
    { ...options, deadline: 20_000 },
  );
  return (found as { SizeRw?: number }).SizeRw ?? null;
};
