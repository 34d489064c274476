/**
 * Glossary.
 * command — what somebody wants to happen, imperative; may be refused.
 * event — what has happened, past tense; a fact, stored for ever as JSON.
 * decider — the pure rules of one concept: `decide` turns a command and the state into events or throws,
 *   `evolve` folds one event into the state.
 * stream — the events of one thing in their order, `vm-k3j9x2a1` for example.
 */

export type Message<Type extends string, Data extends object> = Readonly<{
  type: Type;
  data: Readonly<Data>;
}>;
export type AnyMessage = Message<string, object>;

export type Decider<State, Command extends AnyMessage, Event extends AnyMessage> = {
  readonly initialState: State;
  decide(command: Command, state: State): Event[];
  evolve(state: State, event: Event): State;
};

/** The command is against the rules in the present state. `code` names the rule for whoever words the answer. */
export class IllegalStateError extends Error {
  override name = 'IllegalStateError';
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}
