/**
 * Where a death or an error hurts most: right before and right after something is changed outside of this process.
 * Every such change goes through `sideEffect`, so that the fault suite (tests/faults) can strike at each of them, and can
 * tell from the code which there are. In production nothing is set, and it is a plain call.
 */

/** Gets the name of a side effect and how to do it; does it, or not, or lets something happen before or after. */
export type FailpointHook = <T>(name: string, act: () => Promise<T>) => Promise<T>;

let hook: FailpointHook | undefined;

/** For tests; undefined takes the hook away again. */
export const setFailpointHook = (newHook: FailpointHook | undefined): void => {
  hook = newHook;
};

/** `name` is `<area>: <what is done>`, the same at every call, and written where the call is made: it is searched for. */
export const sideEffect = <T>(name: string, act: () => Promise<T>): Promise<T> =>
  hook === undefined ? act() : hook(name, act);
