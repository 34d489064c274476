import { type Engine, isRefusal } from '../../services/worker/docker/engine.ts';
import { readVmRecipe } from '../../services/worker/vm-recipe.ts';
import { type Finding, ok, warning } from './check.ts';

/** The image of the VMs, and what it is built from. */

/** What `./scripts/start` makes from Debian's packages where no registry answers. */
const debianBase = 'berth-base:trixie';

type Labels = Record<string, string>;

/** Null where there is no such image. */
const readLabels = async (engine: Engine, image: string): Promise<Labels | null> => {
  try {
    const { Config } = await engine.call('looking at an image', (docker) => docker.getImage(image).inspect());
    return Config.Labels ?? {};
  } catch (error) {
    if (isRefusal(error, 404)) return null;
    throw error;
  }
};

export const checkImages = async (
  engine: Engine,
  { image, baseImage }: { image: string; baseImage: string },
): Promise<Finding[]> => {
  const labels = await readLabels(engine, image);
  const bases = [...new Set([baseImage, debianBase])];
  const there: string[] = [];
  for (const base of bases) if ((await readLabels(engine, base)) !== null) there.push(base);
  const recipes = await Promise.all(bases.map((base) => readVmRecipe(base)));
  const builtFrom = bases.find((_, index) => recipes[index]!.hash === labels?.['berth.recipe']);
  const judged =
    labels === null
      ? warning(
          'VM image',
          `${image} is not there`,
          'Run ./scripts/start, or let the first /create build it.',
        )
      : builtFrom === undefined
        ? warning(
            'VM image',
            `${image} was built from another recipe`,
            'Run ./scripts/start to build it anew.',
          )
        : ok('VM image', `${image}, built from ${builtFrom} by the present recipe`);
  const base =
    there.length > 0
      ? ok('base image', there.join(', '))
      : builtFrom !== undefined
        ? ok('base image', `${baseImage} is not there, and only needed to build anew`)
        : warning(
            'base image',
            `${baseImage} is not there`,
            `Run docker pull ${baseImage}; without a registry ./scripts/start makes one from Debian's packages.`,
          );
  return [judged, base];
};
