import { Refusal } from './refusal.ts';
import { limits, type Update } from './state/model.ts';

/**
 * Updates wait here until the bot confirms them by asking for a higher offset.
 *
 * pending  not confirmed yet, in the order of their ids
 * extra    handed out once whatever the offset says: redeliveries, and raw updates that bring their own id
 * recent   the last ones, confirmed or not, so that a test can have one delivered again
 */

export type PollRequest = {
  offset: number;
  limit: number;
  timeoutMs: number;
  allowed: string[] | undefined;
  /** Aborts when the one who asked has gone. */
  signal: AbortSignal;
};

export type UpdateQueue = {
  /** Queues an update of one type; returns its id, or undefined where the bot did not ask for that type. */
  push(type: string, payload: unknown): number | undefined;
  /** Queues anything at all; an `update_id` of its own is kept. Returns the id. */
  pushRaw(update: Record<string, unknown>): unknown;
  /** Hands an earlier update out once more. False where it is not known any more. */
  redeliver(updateId: number): boolean;
  poll(request: PollRequest): Promise<Update[]>;
  drop(): void;
  pending(): Update[];
  recent(): Update[];
  allowed(): string[];
  close(): void;
};

const notByDefault = ['chat_member', 'message_reaction', 'message_reaction_count'];
const recentCount = 1_000;

const conflict = () =>
  new Refusal(
    409,
    'Conflict: terminated by other getUpdates request; make sure that only one bot instance is running',
  );

export const createUpdateQueue = (options: {
  takeId: () => number;
  pending: Update[];
  allowed: string[];
  changed: () => void;
}): UpdateQueue => {
  let pending = [...options.pending];
  let allowed = [...options.allowed];
  const recent = [...pending].slice(-recentCount);
  const extra: Update[] = [];
  let waiting:
    | { answer: (updates: Update[]) => void; fail: (reason: Error) => void; limit: number }
    | undefined;

  const take = (limit: number): Update[] => {
    const again = extra.splice(0, limit);
    return [...again, ...pending.slice(0, limit - again.length)];
  };

  /** Waits for the end of the current turn, so that what arrives together is delivered together. */
  const wake = () =>
    queueMicrotask(() => {
      const poll = waiting;
      if (!poll || extra.length + pending.length === 0) return;
      waiting = undefined;
      poll.answer(take(poll.limit));
    });

  const remember = (update: Update) => {
    recent.push(update);
    if (recent.length > recentCount) recent.shift();
  };

  const enqueue = (update: Update) => {
    pending.push(update);
    if (pending.length > limits.pendingUpdates) pending.shift();
    remember(update);
    options.changed();
    wake();
    return update.update_id;
  };

  const confirm = (offset: number) => {
    const before = pending.length;
    pending = offset < 0 ? pending.slice(offset) : pending.filter(({ update_id }) => update_id >= offset);
    if (pending.length !== before) options.changed();
  };

  const wait = ({ limit, timeoutMs, signal }: PollRequest): Promise<Update[]> => {
    const { promise, resolve, reject } = Promise.withResolvers<Update[]>();
    const gone = () => resolve([]);
    const timer = setTimeout(() => resolve([]), timeoutMs);
    const mine = { answer: resolve, fail: reject, limit };
    waiting = mine;
    signal.addEventListener('abort', gone, { once: true });
    return promise.finally(() => {
      clearTimeout(timer);
      signal.removeEventListener('abort', gone);
      if (waiting === mine) waiting = undefined;
    });
  };

  return {
    push: (type, payload) => {
      const wanted = allowed.length > 0 ? allowed.includes(type) : !notByDefault.includes(type);
      return wanted ? enqueue({ update_id: options.takeId(), [type]: payload }) : undefined;
    },
    pushRaw: (update) => {
      if (update.update_id === undefined) return enqueue({ ...update, update_id: options.takeId() });
      const own = update as Update;
      extra.push(own);
      remember(own);
      wake();
      return own.update_id;
    },
    redeliver: (updateId) => {
      const update = recent.findLast(({ update_id }) => update_id === updateId);
      if (!update) return false;
      extra.push(update);
      wake();
      return true;
    },
    poll: async (request) => {
      waiting?.fail(conflict());
      waiting = undefined;
      if (request.allowed) {
        allowed = request.allowed;
        options.changed();
      }
      if (request.offset !== 0) confirm(request.offset);
      const ready = take(request.limit);
      if (ready.length > 0 || request.timeoutMs <= 0) return ready;
      return wait(request);
    },
    drop: () => {
      pending = [];
      options.changed();
    },
    pending: () => [...pending],
    recent: () => [...recent],
    allowed: () => [...allowed],
    close: () => waiting?.answer([]),
  };
};
