import fc from 'fast-check';
import { expect, it } from 'vitest';
import { decodeCallback, encodeCallback } from './callback-data.ts';

it('what a button carries comes back as it was put in', () => {
  expect(encodeCallback('stop', 'k3j9x2a1', 4)).toBe('stop:k3j9x2a1:4');
  expect(decodeCallback('stop:k3j9x2a1:4')).toEqual({ action: 'stop', args: ['k3j9x2a1', '4'] });
  expect(decodeCallback(encodeCallback('help'))).toEqual({ action: 'help', args: [] });
});

it('64 bytes are taken, one more is refused, counted as bytes', () => {
  expect(encodeCallback('a'.repeat(64))).toHaveLength(64);
  expect(() => encodeCallback('a'.repeat(65))).toThrow('over 64 bytes');
  expect(() => encodeCallback('ü'.repeat(33))).toThrow('over 64 bytes');
});

it('anything that somebody sends is decoded, never an error', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (data) => {
      const { action, args } = decodeCallback(data);
      expect([action, ...args].join(':')).toBe(data);
    }),
  );
});
