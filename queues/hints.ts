import { z } from 'zod';

/**
 * What a worker noticed without having been asked. A hint is no truth, only a reason to look: the bot asks about the VMs
 * it believes to be there, and decides by the answer.
 */
export const hint = z.object({
  host: z.string(),
  /** `engine-back`: Docker answers again after it was away, or for the first time since this worker began. */
  kind: z.enum(['died', 'removed', 'out-of-memory', 'engine-back']),
  vmId: z.string().nullable(),
  at: z.iso.datetime(),
});
export type Hint = z.infer<typeof hint>;

/** The name under which hints travel in the reports queue. */
export const hintName = 'hint';
