import { everyEndIsTold, hardlyAnyRepeat } from './chat.ts';
import { atMostOnce } from './commands.ts';
import { oneContainer } from './containers.ts';
import type { Invariant } from './invariant.ts';
import { noAccident, nothingStale, oneEnd, oneUpdateOneOperation } from './operations.ts';
import { nobodyFalls } from './processes.ts';

/** What is judged by the evidence alone; settling, replay and secrets are looked at on their own. */
export const invariants: readonly Invariant[] = [
  oneUpdateOneOperation,
  oneEnd,
  nothingStale,
  noAccident,
  oneContainer,
  atMostOnce,
  everyEndIsTold,
  hardlyAnyRepeat,
  nobodyFalls,
];
