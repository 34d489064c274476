import { distance } from 'fastest-levenshtein';

/** The name that somebody probably meant: at most two letters off. */
export const closestName = (name: string, known: readonly string[]): string | null => {
  const ranked = known
    .map((candidate) => ({ candidate, off: distance(name, candidate) }))
    .sort((a, b) => a.off - b.off);
  const [best] = ranked;
  return best !== undefined && best.off <= 2 && best.off < name.length ? best.candidate : null;
};
