/** A VM's name is its host name too: what DNS calls a label, in lower case. */
export const vmNamePattern = /^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/;

/** The first free one of box, box-2, box-3, … */
export const nextVmName = (taken: readonly string[]): string => {
  for (let number = 1; ; number += 1) {
    const name = number === 1 ? 'box' : `box-${number}`;
    if (!taken.includes(name)) return name;
  }
};
