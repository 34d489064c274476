import { z } from 'zod';
import { Refusal } from '../refusal.ts';

/** Checks what a control call brings; throws a 400 that lists every fault. */
export const parse = <S extends z.ZodType>(schema: S, value: unknown): z.output<S> => {
  const result = schema.safeParse(value);
  if (!result.success) throw new Refusal(400, z.prettifyError(result.error));
  return result.data;
};
