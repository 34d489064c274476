import { z } from 'zod';

/**
 * What one VM may use: memory and disk in bytes, CPUs as a number of cores (0.5 is half a core), and whether its user may
 * become root in it.
 */
export const vmLimits = z.object({
  memoryBytes: z.number().int().positive(),
  cpus: z.number().positive(),
  diskBytes: z.number().int().positive(),
  gpu: z.boolean(),
  /** Jobs of before there was a choice say nothing. */
  sudo: z.boolean().default(true),
});
export type VmLimits = z.infer<typeof vmLimits>;

export const GIB = 1024 ** 3;
