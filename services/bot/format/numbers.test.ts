import fc from 'fast-check';
import { expect, it } from 'vitest';
import { formatBytes, formatDuration } from './numbers.ts';

const kib = 1024;

it.each([
  [0, '0 B'],
  [0.5, '0.5 B'],
  [1023, '1023 B'],
  [kib, '1 KB'],
  [1536, '1.5 KB'],
  [kib ** 2 - 1, '1 MB'],
  [2 * kib ** 3, '2 GB'],
  [3.44 * kib ** 3, '3.4 GB'],
  [150 * kib ** 3, '150 GB'],
  [kib ** 3 - 1, '1 GB'],
  [5000 * kib ** 4, '5000 TB'],
])('%d bytes are %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text));

it.each([
  [-5, '0 ms'],
  [0, '0 ms'],
  [12.4, '12 ms'],
  [100, '0.1 s'],
  [999, '1 s'],
  [1_500, '1.5 s'],
  [9_999, '10 s'],
  [60_000, '1 min'],
  [130_000, '2 min 10 s'],
  [3_600_000, '1 h'],
  [3_725_000, '1 h 2 min'],
  [90_000_000, '1 d 1 h'],
  [400 * 86_400_000, '400 d'],
])('%d milliseconds are %s', (ms, text) => expect(formatDuration(ms)).toBe(text));

it('every duration is in words, none in the letters of a library', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 10 ** 12 }), (ms) => {
      expect(formatDuration(ms)).toMatch(/^\d+(\.\d)? (ms|s|min|h|d)( \d+ (s|min|h))?$/);
    }),
  );
});

it('every size has a number below 1024 and a unit', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1023 * kib ** 4 }), (bytes) => {
      const [, number] = /^(\d+(?:\.\d)?) (?:B|KB|MB|GB|TB)$/.exec(formatBytes(bytes)) ?? [];
      expect(Number(number)).toBeLessThan(kib);
    }),
  );
});
