import type Docker from 'dockerode';
import { readVmRecipe } from '../../services/worker/vm-recipe.ts';
import { withDeadline } from '../../shared/lifecycle.ts';
import { type Finding, failure, ok, warning } from './check.ts';

/** What the Docker engine offers: version, quotas, runtimes, GPUs, images. */

type Wishes = { runtime: string; image: string; baseImage: string };

const minute = 60_000;

const readInfo = (docker: Docker) => withDeadline(docker.info(), 10_000, 'docker info');

/** Asks for a container with a disk limit: some storage drivers refuse, and then the limit is only watched. */
const checkQuota = async (docker: Docker, driver: string, image: string): Promise<Finding> => {
  const name = 'disk limits';
  try {
    const container = await withDeadline(
      docker.createContainer({
        Image: image,
        Cmd: ['true'],
        HostConfig: { StorageOpt: { size: '1G' } },
        Labels: { 'berth.doctor': 'probe' },
      }),
      minute,
      'a probe',
    );
    await container.remove({ force: true });
    return ok(name, `enforced by ${driver}`);
  } catch (error) {
    const { statusCode } = error as { statusCode?: number };
    if (statusCode === 404) return warning(name, 'not known without an image', 'Run ./scripts/start first.');
    return warning(
      name,
      `not enforced: ${driver} here has no quotas`,
      'Put /var/lib/docker on XFS mounted with pquota to have them enforced.',
    );
  }
};

const checkImages = async (docker: Docker, { image, baseImage }: Wishes): Promise<Finding> => {
  const labels = await docker
    .getImage(image)
    .inspect()
    .then(({ Config }) => (Config.Labels ?? {}) as Record<string, string>)
    .catch(() => null);
  if (labels === null) {
    return warning(
      'VM image',
      `${image} is not there`,
      'Run ./scripts/start, or let the first /create build it.',
    );
  }
  const recipes = await Promise.all([baseImage, 'berth-base:trixie'].map((base) => readVmRecipe(base)));
  return recipes.some(({ hash }) => hash === labels['berth.recipe'])
    ? ok('VM image', `${image}, built from the present recipe`)
    : warning('VM image', `${image} was built from another recipe`, 'Run ./scripts/start to build it anew.');
};

export const checkDocker = async (docker: Docker, wishes: Wishes): Promise<Finding[]> => {
  const info = await readInfo(docker).catch(() => null);
  if (info === null) {
    return [
      failure(
        'Docker engine',
        'does not answer',
        'Start it (systemctl start docker), or run ./scripts/start as root.',
      ),
    ];
  }
  const version = String(info.ServerVersion);
  const runtimes = Object.keys(info.Runtimes ?? {});
  const nvidia = runtimes.includes('nvidia');
  const cdi = ((info.CDISpecDirs as string[] | undefined) ?? []).length > 0;
  const old = Number.parseInt(version, 10) < 20;
  return [
    old
      ? failure('Docker engine', version, 'Version 20.10 or newer is needed.')
      : ok('Docker engine', `${version}, ${info.OperatingSystem}, ${info.NCPU} CPUs`),
    await checkQuota(docker, String(info.Driver), wishes.image),
    runtimes.includes(wishes.runtime)
      ? ok('VM runtime', wishes.runtime)
      : failure(
          'VM runtime',
          `${wishes.runtime} is not installed`,
          `Docker knows ${runtimes.join(', ')}; set VM_RUNTIME.`,
        ),
    nvidia || cdi
      ? ok('GPU', [nvidia ? 'NVIDIA runtime' : '', cdi ? 'CDI' : ''].filter(Boolean).join(', '))
      : warning(
          'GPU',
          'neither the NVIDIA runtime nor CDI',
          'Only needed for GPUs: install nvidia-container-toolkit.',
        ),
    await checkImages(docker, wishes),
  ];
};
