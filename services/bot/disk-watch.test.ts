import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { measureDisks } from '../../queues/catalog.ts';
import type { NewJob } from '../../queues/producer.ts';
import { createLog } from '../../shared/log.ts';
import { command } from '../../shared/vm/testing/history.ts';
import { createDiskWatch } from './disk-watch.ts';
import { createProgressBoard, type ProgressBoard } from './progress-board.ts';
import { openTestStore, tell } from './store/testing/store.ts';

const GB = 1024 ** 3;
type Seen = { vmId: string; usedBytes: number | null; complete?: boolean };

let asked: NewJob[];
let board: ProgressBoard;
let watch: ReturnType<typeof createDiskWatch>;
let store: Awaited<ReturnType<typeof openTestStore>>;
let time: number;

const create = async (vmId: string): Promise<void> => {
  const request = command.RequestVm(`create-${vmId}`);
  await tell(store, { type: 'RequestVm', data: { ...request.data, vmId } as never });
  const created = command.RecordCreated(`create-${vmId}`);
  await tell(store, { type: 'RecordCreated', data: { ...created.data, vmId } as never });
};
/** The questions that a look puts. */
const look = async (): Promise<{ lane: string; vms: string[]; jobId: string }[]> => {
  asked = [];
  watch.look();
  await watch.settled();
  return asked.map(({ jobId, payload }) => {
    const { lane, vms } = measureDisks.payload.parse(payload);
    return { jobId, lane, vms: vms.map(({ vmId }) => vmId) };
  });
};
const answer = async ({ jobId }: { jobId: string }, vms: Seen[]): Promise<void> => {
  const result = { vms: vms.map((seen) => ({ complete: true, epoch: 1, ...seen })) };
  await watch.record({ operationId: jobId, outcome: { kind: 'succeeded', result } });
};
const events = async () =>
  (
    await store.db.selectFrom('events').select(['type', 'data']).where('type', 'like', 'VmDisk%').execute()
  ).map(({ type, data }) => `${type} ${JSON.parse(data).vmId}`);

beforeEach(async () => {
  store = await openTestStore();
  board = createProgressBoard();
  time = Date.parse('2026-01-01T01:00:00.000Z');
  asked = [];
  for (const vmId of ['a', 'b']) await create(vmId);
  const producer = { isReady: () => true, add: async (job: NewJob) => void asked.push(job) };
  watch = createDiskWatch({ store, producer, board, log: createLog('test', 'silent'), now: () => time });
  onTestFinished(() => watch.close());
});

describe('the disk watch', () => {
  it('asks about running VMs, and puts no second question before the answer', async () => {
    const [question] = await look();
    expect(question).toMatchObject({ lane: 'quick', vms: ['a', 'b'] });
    expect(await look()).toEqual([]);
    await answer(question!, []);
    expect(await look()).toHaveLength(1);
  });

  it('asks again when nobody has answered for long', async () => {
    await look();
    time += 2 * 60_000;
    expect(await look()).toHaveLength(1);
  });

  it('has VMs decide what follows from an answer, and shows what they use', async () => {
    const [question] = await look();
    await answer(question!, [
      { vmId: 'a', usedBytes: 95 * GB },
      { vmId: 'b', usedBytes: 5 * GB },
      { vmId: 'gone', usedBytes: 500 * GB },
    ]);
    expect(await events()).toEqual(['VmDiskRanLow a']);
    expect([board.diskOf('a'), board.diskOf('b')]).toEqual([95 * GB, 5 * GB]);
    expect(board.diskLookOf('local')).toMatchObject({ measured: 3, unknown: 0 });
  });

  it('does not judge by what could not be measured, and says so', async () => {
    const [question] = await look();
    await answer(question!, [{ vmId: 'a', usedBytes: null, complete: false }]);
    expect(board.diskOf('a')).toBeNull();
    expect(board.diskLookOf('local')).toMatchObject({ measured: 0, unknown: 1 });
  });

  it('says that nothing was measured where the host could not', async () => {
    const [question] = await look();
    const reason = { code: 'docker-refused', detail: 'no such mount' } as const;
    await watch.record({ operationId: question!.jobId, outcome: { kind: 'failed', reason } });
    expect(board.diskLookOf('local')).toMatchObject({ measured: 0, unknown: 2 });
    expect(await look()).toHaveLength(1);
  });

  it('gives VMs with too many files for seconds a lane of their own, which holds up nobody', async () => {
    const [question] = await look();
    await answer(question!, [
      { vmId: 'a', usedBytes: 3 * GB, complete: false },
      { vmId: 'b', usedBytes: 1 * GB },
    ]);
    const [quick, slow] = await look();
    expect([quick, slow]).toMatchObject([
      { lane: 'quick', vms: ['b'] },
      { lane: 'slow', vms: ['a'] },
    ]);
    await answer(quick!, [{ vmId: 'b', usedBytes: 1 * GB }]);
    expect(await look()).toMatchObject([{ lane: 'quick', vms: ['b'] }]);
    await answer(slow!, [{ vmId: 'a', usedBytes: 96 * GB }]);
    expect(await events()).toEqual(['VmDiskRanLow a']);
  });

  it('goes on after Redis did not take a question', async () => {
    const failing = {
      isReady: () => true,
      add: vi.fn().mockRejectedValueOnce(new Error('away')).mockResolvedValue(undefined),
    };
    const other = createDiskWatch({
      store,
      producer: failing,
      board,
      log: createLog('test', 'silent'),
      now: () => time,
    });
    onTestFinished(() => other.close());
    for (const times of [1, 2]) {
      other.look();
      await other.settled();
      expect(failing.add).toHaveBeenCalledTimes(times);
    }
  });
});
