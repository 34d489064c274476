import type { buildImage } from '../../../queues/catalog.ts';
import type { Processor } from '../../../queues/consumer.ts';
import { build, ensureBaseImage, recipeLabel } from '../docker/builds.ts';
import { findImage } from '../docker/images.ts';
import type { VmHost } from '../vm-host.ts';
import { readVmRecipe } from '../vm-recipe.ts';
import { meaningOf } from './meaning.ts';

/** Builds the VM image; one that this recipe made already is done, unless a new one is wanted by all means. */
export const buildImageProcessor =
  ({ engine, vmImage, vmBaseImage }: VmHost, recipeFor = readVmRecipe): Processor<typeof buildImage> =>
  async ({ force }, context) => {
    const { log, signal } = context;
    try {
      const recipe = await recipeFor(vmBaseImage);
      const present = await findImage(engine, vmImage, { signal });
      if (!force && present?.labels[recipeLabel] === recipe.hash) return { imageId: present.id };
      await ensureBaseImage(engine, vmBaseImage, { signal });
      log.info({ image: vmImage, base: vmBaseImage }, 'building the VM image');
      const onStep = (step: string) => {
        log.info({ step }, 'build step');
        void context.progress('building', { detail: step.slice(0, 200) });
      };
      const order = { recipe, image: vmImage, baseImage: vmBaseImage, fresh: force, onStep };
      const imageId = await build(engine, order, { signal });
      log.info({ imageId }, 'the VM image is built');
      return { imageId };
    } catch (error) {
      throw await meaningOf(error, context);
    }
  };
