import { pidsLimit } from './container-options.ts';
import type { CallOptions, Engine } from './engine.ts';

/** A fork bomb fills up what it gets at once: there must be room left when the command of ours comes to run. */
const spare = 3 * pidsLimit;

const setPidsLimit = (engine: Engine, id: string, limit: number, options: CallOptions): Promise<unknown> =>
  engine.call(
    'changing the process limit',
    (docker, abortSignal) => docker.getContainer(id).update({ PidsLimit: limit, abortSignal }),
    options,
  );

/** Runs `work` while the container may have a few more processes, and puts its limit back whatever happens. */
export const withSparePids = async <T>(
  engine: Engine,
  id: string,
  options: CallOptions,
  work: () => Promise<T>,
): Promise<T> => {
  await setPidsLimit(engine, id, pidsLimit + spare, options);
  try {
    return await work();
  } finally {
    await setPidsLimit(engine, id, pidsLimit, {});
  }
};
