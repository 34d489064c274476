import { expect } from 'vitest';
import { type AnyMessage, type Decider, IllegalStateError } from './decider.ts';

/** Deciders are specified by example: given what happened, when somebody asks, then this happens or is refused. */

export const specificationFor =
  <State, Command extends AnyMessage, Event extends AnyMessage>(decider: Decider<State, Command, Event>) =>
  /** What has happened before, from the very beginning. */
  (given: readonly Event[]) => ({
    when(command: Command) {
      const decide = (): Event[] =>
        decider.decide(command, given.reduce<State>(decider.evolve, decider.initialState));
      return {
        /** Exactly these events, in this order. */
        // biome-ignore lint/suspicious/noThenProperty: the word that specifications use; nobody awaits this object
        then(events: readonly Event[]): void {
          expect(decide()).toEqual(events);
        },
        /** The rule of this code refuses; any other error is a fault of the decider. */
        thenThrows(code: string): void {
          let refusal: unknown;
          let events: Event[] | undefined;
          try {
            events = decide();
          } catch (error) {
            refusal = error;
          }
          expect(events, 'it was not refused').toBeUndefined();
          expect(refusal).toBeInstanceOf(IllegalStateError);
          expect(refusal).toHaveProperty('code', code);
        },
      };
    },
  });
