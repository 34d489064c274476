import { type CallOptions, type Engine, isRefusal } from './engine.ts';

export type FoundImage = { id: string; createdAt: string; labels: Record<string, string>; tags: string[] };

/** The image of that name, or with that id, on the host, or undefined. */
export const findImage = async (
  engine: Engine,
  name: string,
  { signal }: CallOptions,
): Promise<FoundImage | undefined> => {
  try {
    const { Id, Created, Config, RepoTags } = await engine.call(
      'inspecting an image',
      (docker) => docker.getImage(name).inspect(),
      signal ? { signal } : {},
    );
    return { id: Id, createdAt: Created, labels: Config.Labels ?? {}, tags: RepoTags ?? [] };
  } catch (error) {
    if (isRefusal(error, 404)) return undefined;
    throw error;
  }
};

/** Removes an image that nothing uses; one that containers were made from stays, and so does one with a name. */
export const discardImage = async (engine: Engine, id: string): Promise<boolean> => {
  try {
    await engine.call('removing an image', (docker) => docker.getImage(id).remove(), { deadline: 60_000 });
    return true;
  } catch (error) {
    if (isRefusal(error, 404, 409)) return false;
    throw error;
  }
};
