import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { stripVTControlCharacters } from 'node:util';
import { OperationError, RetryableError } from '../../../queues/errors.ts';
import type { VmRecipe } from '../vm-recipe.ts';
import { type CallOptions, DockerRefusal, type Engine, isRefusal } from './engine.ts';
import { discardImage, findImage } from './images.ts';
import { readProgress } from './progress-stream.ts';

/** Building the VM image with Docker's classic builder, which every engine has. */

/** The label of an image that says which recipe it was built from. */
export const recipeLabel = 'berth.recipe';

export type Build = {
  recipe: VmRecipe;
  image: string;
  baseImage: string;
  /** Builds every step anew, with today's packages. */
  fresh: boolean;
  onStep: (step: string) => void;
  /** What an unfinished build has made could not be removed. */
  onLeft: (error: unknown) => void;
};

const buildDeadline = 30 * 60_000;
const pullDeadline = 10 * 60_000;
const detailLength = 400;

const firstLine = (text: string): string => text.trim().split('\n')[0]?.trim() ?? '';

/** Sees that the base image is there, pulls it where it is not. Throws OperationError `base-image-missing`. */
export const ensureBaseImage = async (engine: Engine, name: string, options: CallOptions): Promise<void> => {
  if (await findImage(engine, name, options)) return;
  const pull = async (): Promise<string | null> => {
    try {
      return await engine.call(
        `pulling ${name}`,
        async (docker, abortSignal) =>
          readProgress((await docker.pull(name, { abortSignal })) as Readable, () => {}),
        { ...options, deadline: pullDeadline },
      );
    } catch (error) {
      if (isRefusal(error)) return error.message;
      throw error;
    }
  };
  const error = await pull();
  if (error === null && (await findImage(engine, name, options))) return;
  const reason = firstLine(error ?? 'the pull ended without it').slice(0, 200);
  throw new OperationError('base-image-missing', `${name} (${reason}); run: docker pull ${name}`);
};

/** What a failed build is told by: the step it was at, and the last words before the end. */
const failureOf = (error: string, step: string, lastOutput: string): OperationError => {
  const words = [step, lastOutput, firstLine(error)].filter((part) => part !== '');
  return new OperationError('image-build-failed', words.join(' — ').slice(0, detailLength));
};

/** Milliseconds between tries: as long as the step that was cut off has its container, Docker keeps the image. */
const pauses = [100, 400, 1_500, 5_000];

/**
 * What a build by force has made is of use to nobody when it does not come to its end, and takes a gigabyte without a
 * name. Builds that may use their cache keep it: the next one goes on from there.
 */
const discardUnfinished = async (engine: Engine, id: string): Promise<void> => {
  for (const pause of pauses) {
    await sleep(pause);
    const image = await findImage(engine, id, {});
    // It came to its end after all.
    if (image === undefined || image.tags.length > 0) return;
    if (await discardImage(engine, id)) return;
  }
};

/**
 * Builds and tags the image, and returns its id. Throws OperationError `image-build-failed` with the step
 * that failed; RetryableError `docker-unreachable` when the build is cut off or takes over half an hour.
 */
export const build = async (engine: Engine, order: Build, options: CallOptions): Promise<string> => {
  const { recipe, image, baseImage, fresh } = order;
  let made: string | undefined;
  let step = '';
  let lastOutput = '';
  const onOutput = (text: string) => {
    const line = stripVTControlCharacters(text).trim(); // what a step writes to standard error comes in red
    if (line === '') return;
    if (!/^Step \d+\/\d+ : /.test(line)) {
      const [, id] = /^---> ([0-9a-f]{12})$/.exec(line) ?? [];
      if (id !== undefined && !/ : FROM /i.test(step)) made = id;
      if (!/^--->|^Removing intermediate/.test(line)) lastOutput = line;
      return;
    }
    step = line;
    lastOutput = '';
    order.onStep(step);
  };
  const discard = () => {
    if (fresh && made !== undefined) void discardUnfinished(engine, made).catch(order.onLeft);
  };
  const error = await engine
    .call(
      'building the VM image',
      async (docker, abortSignal) => {
        const stream = await docker.buildImage(
          { context: recipe.context, src: recipe.files },
          {
            dockerfile: recipe.dockerfile,
            t: image,
            buildargs: { BASE_IMAGE: baseImage },
            labels: { [recipeLabel]: recipe.hash },
            nocache: fresh,
            rm: true,
            forcerm: true,
            abortSignal,
          },
        );
        return readProgress(stream as Readable, ({ stream: text }) => onOutput(text ?? ''));
      },
      { ...options, deadline: buildDeadline },
    )
    .catch((refusal: unknown) => {
      if (refusal instanceof DockerRefusal) return refusal.message;
      discard();
      throw refusal;
    });
  if (error !== null) {
    discard();
    throw failureOf(error, step, lastOutput);
  }
  const built = await findImage(engine, image, options);
  if (built?.labels[recipeLabel] === recipe.hash) return built.id;
  throw new RetryableError('docker-unreachable', 'the build ended without its image');
};
