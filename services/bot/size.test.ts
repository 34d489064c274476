import { describe, expect, it } from 'vitest';
import { readSize } from './size.ts';

describe('a size', () => {
  it.each([
    ['512m', 512 * 1024 ** 2],
    ['4g', 4 * 1024 ** 3],
    ['4G', 4 * 1024 ** 3],
    ['4gb', 4 * 1024 ** 3],
    ['4GiB', 4 * 1024 ** 3],
    ['1.5g', 1.5 * 1024 ** 3],
    ['1 g', 1024 ** 3],
    ['2t', 2 * 1024 ** 4],
    ['64k', 64 * 1024],
    ['1048576', 1048576],
    ['1048576b', 1048576],
    ['0', 0],
  ])('%s is read as Docker reads it', (text, size) => expect(readSize(text)).toBe(size));

  it.each(['', 'g', '4x', '4 gigabytes', '-1g', '1e9', '4g5', '0x10', '1,5g', 'NaN', '4gg', '٤g'])(
    '%j is none',
    (text) => expect(readSize(text)).toBeNull(),
  );
});
