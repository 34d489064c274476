/** Pieces of sentences. */

/** `box`, `box and box-2`, `box, box-2 and box-3`. */
const list = new Intl.ListFormat('en-GB', { type: 'conjunction' });
export const inWords = (names: readonly string[]): string => list.format(names);

export const vmCountInWords = (count: number): string => {
  if (count === 0) return 'no VM';
  return count === 1 ? 'one VM' : `${count} VMs`;
};

/** What somebody typed, said back to them: enough of it to know it by. */
export const shortened = (word: string): string => (word.length > 40 ? `${word.slice(0, 40)}…` : word);
