import bytes from 'bytes';

/**
 * Sizes as Docker reads them: a number with b, k, m, g, t or p, powers of 1024; a bare number is bytes. Source:
 * docker/go-units, RAMInBytes.
 */
const sizePattern = /^(\d+(?:\.\d+)?) ?([kmgtp])?i?b?$/i;

/** Bytes, or null where it is no size. */
export const readSize = (text: string): number | null => {
  const [, number, unit] = sizePattern.exec(text.trim()) ?? [];
  if (number === undefined) return null;
  return bytes.parse(`${number}${unit === undefined ? '' : unit}b`);
};
