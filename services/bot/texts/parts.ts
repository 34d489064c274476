/** Pieces of sentences. */

/** `box`, `box and box-2`, `box, box-2 and box-3`. */
const list = new Intl.ListFormat('en-GB', { type: 'conjunction' });
export const inWords = (names: readonly string[]): string => list.format(names);

export const vmCountInWords = (count: number): string => {
  if (count === 0) return 'no VM';
  return count === 1 ? 'one VM' : `${count} VMs`;
};

/** What somebody typed, said back to them: enough of it to know it by. No symbol is cut in two. */
export const shortened = (text: string, most = 40): string => {
  const characters = [...text];
  return characters.length > most ? `${characters.slice(0, most - 1).join('')}…` : text;
};
