import { expect, it, onTestFinished, vi } from 'vitest';
import { createLog } from '../../shared/log.ts';
import { openTestStore } from './store/testing/store.ts';
import { createTraces } from './traces.ts';

const destroyed = { type: 'VmDestroyed', data: { vmId: 'v', operationId: 'o', at: '' } } as const;

const open = async (rewriteHistory: () => Promise<void>) => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  onTestFinished(() => void vi.useRealTimers());
  const store = await openTestStore();
  const log = createLog('test', 'silent');
  return createTraces({ store, producer: { rewriteHistory }, log }, 60_000);
};

it('Redis writes its file anew at once when a VM is destroyed, and once more for all that follow', async () => {
  const rewrite = vi.fn(async () => undefined);
  const traces = await open(rewrite);
  traces.onCommitted([]);
  expect(rewrite).toHaveBeenCalledTimes(0);
  for (let vm = 0; vm < 50; vm += 1) traces.onCommitted([destroyed]);
  expect(rewrite).toHaveBeenCalledTimes(1);
  await vi.advanceTimersByTimeAsync(59_999);
  expect(rewrite).toHaveBeenCalledTimes(1);
  await vi.advanceTimersByTimeAsync(1);
  expect(rewrite).toHaveBeenCalledTimes(2);
  await vi.advanceTimersByTimeAsync(600_000);
  expect(rewrite).toHaveBeenCalledTimes(2);
});

it('a Redis that could not is asked until it does', async () => {
  const rewrite = vi.fn(async () => undefined).mockRejectedValueOnce(new Error('away'));
  const traces = await open(rewrite);
  traces.onCommitted([destroyed]);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(rewrite).toHaveBeenCalledTimes(2);
});

it('nothing is asked any more after the end', async () => {
  const rewrite = vi.fn(async () => undefined);
  const traces = await open(rewrite);
  traces.onCommitted([destroyed]);
  traces.close();
  await vi.advanceTimersByTimeAsync(600_000);
  expect(rewrite).toHaveBeenCalledTimes(1);
});

it('Redis writes its file anew when the bot begins, as the one before may have died owing it', async () => {
  const rewrite = vi.fn(async () => undefined).mockRejectedValueOnce(new Error('LOADING'));
  const traces = await open(rewrite);
  traces.begin();
  expect(rewrite).toHaveBeenCalledTimes(1);
  await vi.advanceTimersByTimeAsync(600_000);
  expect(rewrite).toHaveBeenCalledTimes(2);
});
