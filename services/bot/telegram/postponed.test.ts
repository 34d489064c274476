import { expect, it } from 'vitest';
import { createPostponed, retryDelay } from './postponed.ts';

it('a postponed message waits for its time; only what steps aside lets others pass', () => {
  const clock = { ms: 0 };
  const postponed = createPostponed(() => clock.ms);
  postponed.postpone('in line', 500);
  postponed.postpone('aside', 800, { aside: true });
  expect(postponed.remaining('in line')).toBe(500);
  expect(postponed.aside()).toEqual(['aside']);
  expect(postponed.nextIn()).toBe(500);
  clock.ms = 800;
  expect(postponed.remaining('in line')).toBe(0);
  expect(postponed.aside()).toEqual([]);
  expect(postponed.nextIn()).toBe(Number.POSITIVE_INFINITY);
});

it('tries again soon at first, then with patience, and never rarer than every ten seconds', () => {
  expect([0, 1, 2, 5, 6, 50].map(retryDelay)).toEqual([200, 400, 800, 6_400, 10_000, 10_000]);
});
