import { expect, it } from 'vitest';
import { createRefreshes } from './refreshes.ts';

const start = () => {
  const clock = { ms: 0 };
  return { clock, refreshes: createRefreshes(() => clock.ms) };
};

it('many wishes are one refresh, and the next of the same message comes a second later', () => {
  const { clock, refreshes } = start();
  for (let wish = 0; wish < 100; wish += 1) refreshes.want('a');
  expect(refreshes.due()).toEqual(['a']);
  refreshes.begin('a');
  expect(refreshes.due()).toEqual([]);
  expect(refreshes.nextIn()).toBe(Number.POSITIVE_INFINITY);
  clock.ms = 400;
  refreshes.want('a');
  refreshes.want('b');
  expect(refreshes.due()).toEqual(['b']);
  expect(refreshes.nextIn()).toBe(600);
  clock.ms = 1_000;
  expect(refreshes.due()).toEqual(['a', 'b']);
});

it('a dropped wish is gone', () => {
  const { refreshes } = start();
  refreshes.want('a');
  refreshes.drop('a');
  expect(refreshes.due()).toEqual([]);
});

it('a wish that somebody awaits stays one until it is begun, whoever else wishes', () => {
  const { refreshes } = start();
  refreshes.want('a', { awaited: true });
  refreshes.want('a');
  refreshes.want('b');
  expect([refreshes.isAwaited('a'), refreshes.isAwaited('b')]).toEqual([true, false]);
  refreshes.begin('a');
  refreshes.want('a');
  expect(refreshes.isAwaited('a')).toBe(false);
});
