import type { buildImage } from '../../../queues/catalog.ts';
import type { Context, Processor } from '../../../queues/consumer.ts';
import { build, ensureBaseImage, recipeLabel } from '../docker/builds.ts';
import { discardImage, findImage } from '../docker/images.ts';
import type { VmHost } from '../vm-host.ts';
import { readVmRecipe } from '../vm-recipe.ts';
import { meaningOf } from './meaning.ts';

/** The image before this one takes a gigabyte; it goes unless VMs were made from it. */
const discardOld = async ({ engine }: VmHost, id: string, { log }: Context): Promise<void> => {
  const gone = await discardImage(engine, id).catch((err: unknown) =>
    log.warn({ err }, 'the old image stays'),
  );
  if (gone) log.info({ imageId: id }, 'the old image is removed');
};

/** Builds the VM image; one that this recipe made already is done, unless a new one is wanted by all means. */
export const buildImageProcessor =
  (host: VmHost, recipeFor = readVmRecipe): Processor<typeof buildImage> =>
  async ({ force }, context) => {
    const { engine, vmImage, vmBaseImage } = host;
    const { log, signal } = context;
    try {
      const recipe = await recipeFor(vmBaseImage);
      const present = await findImage(engine, vmImage, { signal });
      if (!force && present?.labels[recipeLabel] === recipe.hash)
        return { imageId: present.id, built: false };
      await ensureBaseImage(engine, vmBaseImage, { signal });
      log.info({ image: vmImage, base: vmBaseImage }, 'building the VM image');
      const onStep = (step: string) => {
        log.info({ step }, 'build step');
        void context.progress('building', { detail: step.replace(/\s+/g, ' ').slice(0, 200) });
      };
      const onLeft = (err: unknown) => log.warn({ err }, 'what the unfinished build has made stays');
      const order = { recipe, image: vmImage, baseImage: vmBaseImage, fresh: force, onStep, onLeft };
      const imageId = await build(engine, order, { signal });
      log.info({ imageId }, 'the VM image is built');
      await host.firewall.ensure({ fresh: true }); // with what the new image brings
      if (present !== undefined && present.id !== imageId) await discardOld(host, present.id, context);
      return { imageId, built: true };
    } catch (error) {
      throw await meaningOf(error, context);
    }
  };
