import { describe, expect, it } from 'vitest';
import { createPacing } from './pacing.ts';

const start = () => {
  const clock = { ms: 1_000_000 };
  const pacing = createPacing(() => clock.ms);
  /** Calls as fast as is allowed for so many milliseconds; gives their times. */
  const callFor = (ms: number, chatOf: (call: number) => number, options = {}): number[] => {
    const begun = clock.ms;
    const times: number[] = [];
    while (clock.ms - begun < ms) {
      const chat = chatOf(times.length);
      const delay = pacing.delay(chat, options);
      if (delay > 0) clock.ms += delay;
      else {
        pacing.take(chat);
        times.push(clock.ms - begun);
      }
    }
    return times;
  };
  return { clock, pacing, callFor };
};

const mostWithin = (window: number, times: number[]): number =>
  Math.max(...times.map((from) => times.filter((at) => at >= from && at < from + window).length));

describe('the pace of calls', () => {
  it('lets a quick answer, and a second and third, go at once', () => {
    const { callFor } = start();
    expect(callFor(10_000, () => 7).slice(0, 4)).toEqual([0, 0, 0, 1_000]);
  });

  it('is one a second in a chat', () => {
    const { callFor } = start();
    expect(callFor(60_000, () => 7).length).toBeLessThanOrEqual(63);
  });

  it('is twenty a minute in a group', () => {
    const { callFor } = start();
    const times = callFor(300_000, () => -100);
    expect(times.length).toBeGreaterThan(99);
    expect(times.length).toBeLessThanOrEqual(103);
  });

  it('is at most thirty within any second over all chats, and twenty-five a second in the long run', () => {
    const { callFor } = start();
    const times = callFor(20_000, (call) => call + 1);
    expect(mostWithin(1_000, times)).toBeLessThanOrEqual(30);
    expect(times.length).toBeGreaterThan(490);
    expect(times.length).toBeLessThanOrEqual(506);
  });

  it('keeps room for an answer, whatever can wait is doing', () => {
    const { callFor, pacing } = start();
    callFor(10_000, () => 7, { canWait: true });
    expect(pacing.delay(7)).toBe(0);
    callFor(10_000, (call) => call + 1, { canWait: true });
    expect(pacing.delay(999)).toBe(0);
  });

  it('obeys a pause for its chat alone', () => {
    const { clock, pacing } = start();
    pacing.pause(7, 5_000);
    expect(pacing.delay(7)).toBe(5_000);
    expect(pacing.delay(8)).toBe(0);
    pacing.pause(7, 1_000);
    expect(pacing.delay(7)).toBe(5_000);
    clock.ms += 5_000;
    expect(pacing.delay(7)).toBe(0);
  });
});
