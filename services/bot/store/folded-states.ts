import type { AnyMessage, Decider } from '../../../shared/decider.ts';

/**
 * The states of streams as they were last committed: a VM of many thousand commands is not read and folded anew for
 * each. Nothing but time is lost with an entry. What a transaction adds counts only once it is committed, for a
 * version that was rolled back is given again.
 */

export type Folded<State> = { version: number; state: State };
type Entry = Folded<unknown> & { decider: object };
/** What one transaction has come to, by stream. */
export type Fresh = Map<string, Entry>;

/** Streams remembered at most; the one that was not written to for longest goes first. */
const most = 2_000;

export const createFoldedStates = () => {
  const states: Fresh = new Map();
  return {
    /** Where the stream stood at the last commit that is known; its beginning where none is. */
    of<State, Command extends AnyMessage, Event extends AnyMessage>(
      decider: Decider<State, Command, Event>,
      stream: string,
    ): Folded<State> {
      const known = states.get(stream);
      if (known?.decider !== decider) return { version: 0, state: decider.initialState };
      return known as Folded<State>;
    },
    remember(fresh: Fresh): void {
      for (const [stream, entry] of fresh) {
        states.delete(stream);
        states.set(stream, entry);
      }
      for (const stream of states.keys()) {
        if (states.size <= most) return;
        states.delete(stream);
      }
    },
  };
};
