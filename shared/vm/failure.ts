import { z } from 'zod';

/** Why an operation failed. The code picks the sentence people read; the detail completes it and holds no secret. */
export const failureCode = z.enum([
  'image-build-failed',
  'base-image-missing',
  'port-taken',
  'name-taken',
  'docker-unreachable',
  'docker-refused',
  'container-vanished',
  'ssh-not-ready',
  'gpu-unavailable',
  'out-of-resources',
  'vm-not-running',
  'outcome-unknown',
  'tunnel-unavailable',
  'gave-up',
]);
export type FailureCode = z.infer<typeof failureCode>;

export const failure = z.object({ code: failureCode, detail: z.string().max(500) });
export type Failure = z.infer<typeof failure>;
