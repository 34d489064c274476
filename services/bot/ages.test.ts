import { expect, it } from 'vitest';
import { createAges } from './ages.ts';

const hour = 3_600_000;
const requested = Date.parse('2026-01-02T03:00:00.000Z');

const looking = () => {
  let steady = 0;
  const ages = createAges(() => steady);
  return (pass: number, wall: number, key = 'op'): number => {
    steady += pass;
    ages.begin();
    const age = ages.of(key, requested, wall);
    ages.end();
    return age;
  };
};

it('goes by the wall for what was there before this process', () => {
  expect(looking()(0, requested + hour)).toBe(hour);
});

it.each([
  ['forwards', hour],
  ['backwards', -hour],
])('goes on steadily when the clock jumps an hour %s', (_where, jump) => {
  const look = looking();
  expect(look(0, requested + 1_000)).toBe(1_000);
  expect(look(5_000, requested + 6_000 + jump)).toBe(6_000);
  expect(look(hour, requested + 6_000 + jump)).toBe(6_000 + hour);
});

it('takes what it first sees for no older than its look before, however far the clock has jumped', () => {
  const look = looking();
  look(0, requested - 1_000, 'another');
  expect(look(5_000, requested + hour)).toBe(5_000);
});

it('never gives less than nothing, and forgets what is not asked for any more', () => {
  const look = looking();
  expect(look(0, requested - hour)).toBe(0);
  look(1_000, requested, 'another');
  expect(look(1_000, requested + hour)).toBe(1_000);
});
