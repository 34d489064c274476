import { TelegramError } from 'telegraf';
import { expect, it, vi } from 'vitest';
import { DeadlineError } from '../../../shared/lifecycle.ts';
import { createLog } from '../../../shared/log.ts';
import { createProcessMetrics } from '../../../shared/metrics/process-metrics.ts';
import { command } from '../../../shared/vm/testing/history.ts';
import { openTestStore, tell } from '../store/testing/store.ts';
import { countOperations } from './operations.ts';
import { countCalls } from './telegram-calls.ts';
import { countVms } from './vms.ts';

const log = createLog('test', 'silent');

const prepare = async () => {
  const store = await openTestStore();
  const registry = createProcessMetrics();
  countVms(registry, store.db);
  store.onCommitted(countOperations(registry, store.db, log));
  return { store, registry };
};

it('an operation is counted once with its outcome and its duration, and its VM under the state it is in', async () => {
  const { store, registry } = await prepare();
  await tell(store, command.RequestVm('create'));
  expect(await registry.metrics()).toContain('berth_vms{state="creating"} 1');
  await tell(store, command.RecordCreated('create'));
  await tell(store, command.RecordCreated('create'));
  await vi.waitFor(async () =>
    expect(await registry.metrics()).toContain('berth_operations_total{kind="create",outcome="succeeded"} 1'),
  );
  const text = await registry.metrics();
  expect(text).toContain('berth_operation_duration_seconds_count{kind="create"} 1');
  expect(text).toContain('berth_operations_total{kind="destroy",outcome="failed"} 0');
  expect(text).toContain('berth_vms{state="running"} 1');
  expect(text).toContain('berth_vms{state="creating"} 0');
});

it('calls to Telegram are counted by how they ended, and nothing of what they say is kept', async () => {
  const registry = createProcessMetrics();
  const endings: (() => unknown)[] = [
    () => ({ message_id: 1 }),
    () => {
      throw new TelegramError({ error_code: 429, description: 'a secret sentence' } as never);
    },
    () => {
      throw new DeadlineError('sendMessage');
    },
    () => {
      throw Object.assign(new Error('a secret sentence'), { code: 'ECONNRESET' });
    },
  ];
  let calls = 0;
  const api = countCalls(registry, {
    call: async <T>() => endings[calls++]!() as T,
    close: () => undefined,
  });
  await api.call('sendMessage', { text: 'a secret sentence' });
  for (let left = 3; left > 0; left -= 1)
    await expect(api.call('sendMessage', { text: 'a secret sentence' })).rejects.toThrow();
  const text = await registry.metrics();
  for (const status of ['200', '429', 'timeout', 'no-answer'])
    expect(text).toContain(`berth_telegram_calls_total{method="sendMessage",status="${status}"} 1`);
  expect(text).not.toContain('secret');
});
