import type { z } from 'zod';
import type { Practice } from '../practice.ts';

/** A file that came with the call. */
export type Upload = { name: string; mimeType: string; bytes: Buffer };

export type Call = {
  practice: Practice;
  uploads: Map<string, Upload>;
  /** Aborts when the connection closes. */
  signal: AbortSignal;
};

/** One method of the Bot API: what it takes, and what it does. `run` returns the result or throws a Refusal. */
export type Method = { params: z.ZodType; run: (call: Call, params: never) => unknown };

export const defineMethod = <S extends z.ZodType>(
  params: S,
  run: (call: Call, params: z.output<S>) => unknown,
): Method => ({ params, run });
