import { type CallOptions, type Engine, isRefusal } from './engine.ts';

/**
 * Docker does not say since when it runs. It makes its default network `bridge` anew at each start, after it has taken
 * note of all containers that it finds dead, so that the network's age tells.
 */

/** Milliseconds since 1970, or null where Docker was told to have no such network. */
export const engineStart = async (engine: Engine, options: CallOptions = {}): Promise<number | null> => {
  try {
    const { Created } = await engine.call(
      'asking since when Docker runs',
      (docker) => docker.getNetwork('bridge').inspect(),
      options,
    );
    const start = Date.parse(Created);
    return Number.isNaN(start) ? null : start;
  } catch (error) {
    if (isRefusal(error, 404)) return null;
    throw error;
  }
};

/** Milliseconds after its start in which Docker may still be ending what its life before has left. */
const slack = 3_000;

/** What Docker enters for a container that it finds dead at its start; but a program may end with this as well. */
const foundDead = 255;

/** Whether a container ended because Docker or the host did: before Docker's present life, that is. */
export const endedWithEngine = (
  { finishedAt, exitCode }: { finishedAt: string; exitCode: number },
  start: number | null,
): boolean => (start === null ? exitCode === foundDead : Date.parse(finishedAt) <= start + slack);
