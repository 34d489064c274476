import { expect, it, onTestFinished, vi } from 'vitest';
import type { NewJob } from '../../queues/producer.ts';
import { createLog } from '../../shared/log.ts';
import { command, vmId } from '../../shared/vm/testing/history.ts';
import { createObservations } from './observations.ts';
import { openTestStore, tell } from './store/testing/store.ts';

it('a look asks the host at once about every VM that should be there', async () => {
  const store = await openTestStore();
  await tell(store, command.RequestVm('create'));
  await tell(store, command.RecordCreated('create'));
  const asked: NewJob[] = [];
  const producer = { isReady: () => true, add: async (job: NewJob) => void asked.push(job) };
  const observations = createObservations({ store, producer, log: createLog('test', 'silent') });
  onTestFinished(() => observations.close());
  observations.look();
  await vi.waitFor(() => expect(asked).toHaveLength(1));
  expect(asked[0]).toMatchObject({ jobName: 'look-at-vms', payload: { vms: [{ vmId, epoch: 1 }] } });
});
