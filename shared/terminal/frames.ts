import type { z } from 'zod';

/** What a text frame says; null where it is not what it should be. Binary frames are never JSON of ours. */
export const readFrame = <Schema extends z.ZodType>(
  schema: Schema,
  data: Buffer | ArrayBuffer | Buffer[],
  isBinary: boolean,
): z.infer<Schema> | null => {
  if (isBinary) return null;
  try {
    return schema.safeParse(JSON.parse(data.toString())).data ?? null;
  } catch {
    return null;
  }
};
