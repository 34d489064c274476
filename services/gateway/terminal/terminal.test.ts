import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createGate } from './gate.ts';
import { createInputRate } from './input-rate.ts';

describe('a gate', () => {
  it('is open only while nobody holds it shut', () => {
    const flow = { pause: vi.fn(), resume: vi.fn() };
    const gate = createGate(flow);
    gate.open('nobody');
    gate.shut('one');
    gate.shut('other');
    gate.shut('one');
    gate.open('one');
    expect(flow.resume).not.toHaveBeenCalled();
    gate.open('other');
    expect(flow.pause).toHaveBeenCalledTimes(1);
    expect(flow.resume).toHaveBeenCalledTimes(1);
  });
});

describe('the rate of input', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());
  const start = () => {
    const source = { pause: vi.fn(), resume: vi.fn() };
    return { source, rate: createInputRate(source) };
  };

  it('lets a megabyte pass at once', () => {
    const { source, rate } = start();
    for (let count = 0; count < 16; count += 1) rate.take(64 * 1024);
    expect(source.pause).not.toHaveBeenCalled();
  });

  it('holds up who sends more for as long as that takes, and many small frames too', async () => {
    const { source, rate } = start();
    rate.take(4 * 1024 * 1024);
    expect(source.pause).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(900);
    expect(source.resume).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(200);
    expect(source.resume).toHaveBeenCalledTimes(1);
    for (let count = 0; count < 5_000; count += 1) rate.take(1);
    expect(source.pause).toHaveBeenCalledTimes(2);
  });
});
