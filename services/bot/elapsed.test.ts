import { expect, it } from 'vitest';
import { createElapsed } from './elapsed.ts';

const hour = 3_600_000;
const since = Date.parse('2026-01-02T03:00:00.000Z');

const watching = () => {
  const clock = { steady: 0 };
  const elapsed = createElapsed(() => clock.steady);
  return { clock, of: (end: number | null, now: number) => elapsed.of('op', { since, end, now }) };
};

it.each([
  ['forwards', hour],
  ['back', -hour],
])('goes on steadily, and ends, as if the clock had not been set %s', (_where, jump) => {
  const { clock, of } = watching();
  expect(of(null, since)).toBe(0);
  clock.steady = 4_000;
  expect(of(null, since + 4_000 + jump)).toBe(4_000);
  clock.steady = 6_000;
  const ended = of(since + 5_000 + jump, since + 6_000 + jump);
  expect(ended).toBeGreaterThanOrEqual(4_000);
  expect(ended).toBeLessThanOrEqual(6_000);
  clock.steady = 60_000;
  expect(of(since + 5_000 + jump, since + 60_000)).toBe(ended);
});

it('tells the true end of what is heard of late', () => {
  const { clock, of } = watching();
  of(null, since);
  clock.steady = 60_000;
  expect(of(since + 5_000, since + 60_000)).toBe(5_000);
});

it('believes the clock of what ended before this process, and never gives less than nothing', () => {
  expect(watching().of(since + hour, since + hour)).toBe(hour);
  expect(watching().of(since - hour, since)).toBe(0);
});
