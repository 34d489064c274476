import type { FailureCode } from '../shared/vm/failure.ts';

/** How a processor says that it did not succeed. Whatever else it throws is tried again, and in the end given up. */

/** `detail` completes the code's sentence, is for people and holds no secret. */
class WordedError extends Error {
  readonly code: FailureCode;
  readonly detail: string;

  constructor(code: FailureCode, detail = '') {
    super(detail === '' ? code : `${code}: ${detail}`);
    this.code = code;
    this.detail = detail;
  }
}

/** It cannot be done, and trying again would not help. */
export class OperationError extends WordedError {
  override name = 'OperationError';
}

/** It could not be done now; the same job may succeed later. After the last try it counts as an OperationError. */
export class RetryableError extends WordedError {
  override name = 'RetryableError';
}

/** A newer operation of the VM has begun: this one must touch nothing more, and nobody waits for its word. */
export class SupersededError extends Error {
  override name = 'SupersededError';
}

/** Somebody cancelled the operation. */
export class CancelledError extends Error {
  override name = 'CancelledError';
}

/** What may be thrown to BullMQ in its place, which keeps an error's text and stack where all who see the queues read. */
export const redacted = (error: unknown): Error => {
  const shown = new Error(error instanceof RetryableError ? error.code : 'failed; the log says why');
  delete shown.stack;
  return shown;
};
