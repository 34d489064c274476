/** Chance that comes out the same for the same seed: whatever is drawn is drawn in the same order. */

export type Random = {
  /** From 0 up to, and without, 1. */
  next(): number;
  /** A whole number from 0 up to, and without, `below`. */
  below(below: number): number;
  chance(probability: number): boolean;
  pick<T>(from: readonly T[]): T;
  /** By weight: `[[3, 'often'], [1, 'seldom']]`. */
  weigh<T>(from: readonly (readonly [number, T])[]): T;
  shuffle<T>(list: readonly T[]): T[];
};

/** A 32-bit number of a text (FNV-1a). */
const hash = (text: string): number => {
  let value = 2_166_136_261;
  for (const character of text) value = Math.imul(value ^ character.codePointAt(0)!, 16_777_619);
  return value >>> 0;
};

/** `name` keeps what is drawn here apart from what is drawn elsewhere with the same seed (mulberry32). */
export const createRandom = (seed: number, name: string): Random => {
  let state = hash(`${seed}/${name}`);
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit: number): number => Math.floor(next() * limit);
  return {
    next,
    below,
    chance: (probability) => next() < probability,
    pick: (from) => from[below(from.length)]!,
    weigh: (from) => {
      let rest = next() * from.reduce((sum, [weight]) => sum + weight, 0);
      for (const [weight, value] of from) {
        rest -= weight;
        if (rest < 0) return value;
      }
      return from.at(-1)![1];
    },
    shuffle: (list) => {
      const rest = [...list];
      return list.map(() => rest.splice(below(rest.length), 1)[0]!);
    },
  };
};
