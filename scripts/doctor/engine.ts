import { stat, statfs } from 'node:fs/promises';
import { formatBytes } from '../../services/bot/format/numbers.ts';
import type { Engine } from '../../services/worker/docker/engine.ts';
import { type Finding, failure, ok, warning } from './check.ts';

/** The Docker engine itself: whether it answers, how old it is, how much room it has. */

export type EngineInfo = {
  ServerVersion: string;
  OperatingSystem: string;
  Driver: string;
  DockerRootDir: string;
  SystemTime: string;
  NCPU: number;
  MemTotal: number;
  Runtimes?: Record<string, unknown>;
  SecurityOptions?: string[] | null;
  /** Since API 1.50: what the CDI specifications of the host offer. */
  DiscoveredDevices?: { Source: string; ID: string }[] | null;
};

/** Null where the engine does not answer within ten seconds; `advice` then says what to do. */
export const readEngine = async (
  engine: Engine,
  dockerHost: string,
): Promise<{ info: EngineInfo; finding: null } | { info: null; finding: Finding }> => {
  try {
    const info = await engine.call('asking Docker', (docker) => docker.info(), { deadline: 10_000 });
    return { info: info as EngineInfo, finding: null };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const advice = reason.includes('EACCES')
      ? 'Let yourself use it (sudo usermod -aG docker $USER, then log in again), or run Berth as root.'
      : 'Start it (systemctl start docker), run ./scripts/start as root, or correct DOCKER_HOST.';
    return {
      info: null,
      finding: failure('Docker engine', `${dockerHost} does not answer: ${reason}`, advice),
    };
  }
};

const isOlder = (version: string, major: number, minor: number): boolean => {
  const [found = 0, foundMinor = 0] = version.split('.').map((part) => Number.parseInt(part, 10));
  return found < major || (found === major && foundMinor < minor);
};

export const checkVersion = async ({ ServerVersion, OperatingSystem }: EngineInfo): Promise<Finding> => {
  const found = `${ServerVersion}, ${OperatingSystem}`;
  return isOlder(ServerVersion, 20, 10)
    ? warning('Docker engine', found, 'Berth is tried with 20.10 and newer: bring it up to date.')
    : ok('Docker engine', found);
};

/** Bytes: the image and a few VMs in which somebody works. */
const enough = 10 * 1024 ** 3;

/** Null where Docker's folder cannot be seen from here, as on another machine. */
export const checkRoom = async ({ DockerRootDir }: EngineInfo): Promise<Finding | null> => {
  if ((await stat(DockerRootDir).catch(() => null)) === null) return null;
  const { bavail, bsize } = await statfs(DockerRootDir);
  const found = `${DockerRootDir}, ${formatBytes(bavail * bsize)} free`;
  return bavail * bsize < enough
    ? warning(
        'room for VMs',
        found,
        'Make room: images and all files of the VMs are there (docker system df).',
      )
    : ok('room for VMs', found);
};

export const checkRuntime = async ({ Runtimes = {} }: EngineInfo, runtime: string): Promise<Finding> =>
  Object.hasOwn(Runtimes, runtime)
    ? ok('VM runtime', `${runtime}; Docker knows ${Object.keys(Runtimes).join(', ')}`)
    : failure(
        'VM runtime',
        `Docker does not know ${runtime}`,
        `Install it, or set VM_RUNTIME to one of ${Object.keys(Runtimes).join(', ')}.`,
      );

export const checkGpu = async ({
  Runtimes = {},
  DiscoveredDevices,
  ServerVersion,
}: EngineInfo): Promise<Finding> => {
  const devices = (DiscoveredDevices ?? []).filter(
    ({ ID }) => ID.startsWith('nvidia.com/gpu=') && !ID.endsWith('=all'),
  );
  if (Object.hasOwn(Runtimes, 'nvidia')) return ok('GPU', 'NVIDIA runtime');
  if (devices.length === 0)
    return ok(
      'GPU',
      'none: neither the NVIDIA runtime nor CDI devices (nvidia-container-toolkit brings them)',
    );
  const found = `${devices.length} by CDI`;
  // Before, `--gpus` and what stands for it in the API did not look at CDI.
  return isOlder(ServerVersion, 29, 0)
    ? warning(
        'GPU',
        found,
        'This Docker gives VMs none of them: bring it to 29, or install the NVIDIA runtime.',
      )
    : ok('GPU', found);
};
