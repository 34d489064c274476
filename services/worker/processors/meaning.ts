import type { Context } from '../../../queues/consumer.ts';
import { CancelledError, OperationError, SupersededError } from '../../../queues/errors.ts';
import { explainRefusal } from '../docker/refusals.ts';

/**
 * What a fault in the middle of an operation means. The reasons to stop come first: a call that was cut off
 * fails somehow. Then a newer operation of the VM wins: what looked like a fault may be its doing, as when
 * `/destroy` took the container away. Only then is it a failure to tell people.
 */
export const meaningOf = async (error: unknown, context: Context): Promise<unknown> => {
  if (isCancelled(context.signal)) return new CancelledError('cancelled');
  if (context.signal.aborted) return context.signal.reason;
  if (error instanceof SupersededError || error instanceof CancelledError) return error;
  try {
    await context.checkFence();
  } catch (superseded) {
    return superseded;
  }
  return explainRefusal(error);
};

/** Somebody cancelled the operation; else the signal says that this worker must let go of the job. */
export const isCancelled = ({ aborted, reason }: AbortSignal): boolean => aborted && reason === 'cancelled';

/** Whether nobody will try again, so that what was half made would stay for ever. */
export const isFinal = (error: unknown, context: Context): boolean => {
  if (error instanceof CancelledError) return true;
  if (error instanceof SupersededError || context.signal.aborted) return false;
  return error instanceof OperationError || context.lastAttempt;
};

/** Runs an operation's steps; what they throw is thrown on with its meaning. */
export const withMeaning = async <T>(context: Context, steps: () => Promise<T>): Promise<T> => {
  try {
    return await steps();
  } catch (error) {
    throw await meaningOf(error, context);
  }
};
