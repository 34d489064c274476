import { expect, it } from 'vitest';
import { nextVmName, vmNamePattern } from './vm-name.ts';

it.each(['a', 'box', 'box-2', '7', 'a--b', 'a'.repeat(32)])('%j is a name', (name) =>
  expect(name).toMatch(vmNamePattern),
);

it.each(['', '-a', 'a-', 'Box', 'a_b', 'a.b', 'a b', 'ä', 'a\n', 'a'.repeat(33), '../etc', '$(id)'])(
  '%j is none',
  (name) => expect(name).not.toMatch(vmNamePattern),
);

it('the first free name is taken, and is a name', () => {
  expect(nextVmName([])).toBe('box');
  expect(nextVmName(['box'])).toBe('box-2');
  expect(nextVmName(['box', 'box-3', 'other'])).toBe('box-2');
  expect(nextVmName(['box-2'])).toBe('box');
  expect(nextVmName(Array.from({ length: 500 }, (_, index) => `box-${index}`).concat('box'))).toMatch(
    vmNamePattern,
  );
});
