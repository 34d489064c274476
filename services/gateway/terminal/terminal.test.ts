import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { isOwnHost } from '../host-guard.ts';
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

describe('the names that are answered', () => {
  const here = { publicOrigin: () => 'https://vms.example.org', bindAddress: '127.0.0.1' };

  it.each(['localhost', 'localhost:8080', '127.0.0.1:1', '[::1]:8080', 'vms.example.org', 'VMS.example.org'])(
    'are ours: %s',
    (host) => expect(isOwnHost(host, here)).toBe(true),
  );
  it.each([
    undefined,
    '',
    'evil.example',
    'vms.example.org.evil.example',
    'localhost.evil.example',
    '10.0.0.1:8080',
    'evil.example#vms.example.org',
    'user@localhost',
    'a b',
    '[::1',
  ])('are nobody else’s: %s', (host) => expect(isOwnHost(host, here)).toBe(false));

  it('are all bare addresses where the gateway listens on all of them', () => {
    const everywhere = { ...here, bindAddress: '0.0.0.0' };
    expect(isOwnHost('192.168.1.7:8080', everywhere)).toBe(true);
    expect(isOwnHost('[fe80::1]:8080', everywhere)).toBe(true);
    expect(isOwnHost('evil.example:8080', everywhere)).toBe(false);
    expect(isOwnHost('192.168.1.7:8080', { ...here, bindAddress: '192.168.1.7' })).toBe(true);
  });
});
