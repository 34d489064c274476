import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { Outcome } from '../../queues/catalog.ts';
import type { NewJob } from '../../queues/producer.ts';
import { createLog } from '../../shared/log.ts';
import { command } from '../../shared/vm/testing/history.ts';
import { createMeasurements } from './measurements.ts';
import { createProgressBoard, type ProgressBoard } from './progress-board.ts';
import { openTestStore, tell } from './store/testing/store.ts';

const log = createLog('test', 'silent');
const figures = { startedAt: null, cpus: 1.5, memoryBytes: 7, diskBytes: 9 };

let asked: NewJob[];
let refreshed: string[];
let board: ProgressBoard;
let measurements: ReturnType<typeof createMeasurements>;
let redisIsAway: boolean;
let refused: number;

/** VMs `a` and `b` on host `h1`, `c` on `h2`, and `stopped`, which does not run. */
beforeEach(async () => {
  const store = await openTestStore();
  for (const [vmId, host] of [
    ['a', 'h1'],
    ['b', 'h1'],
    ['c', 'h2'],
    ['stopped', 'h1'],
  ] as const) {
    const request = command.RequestVm(`create-${vmId}`);
    await tell(store, { type: 'RequestVm', data: { ...request.data, vmId, host } as never });
    const created = command.RecordCreated(`create-${vmId}`);
    await tell(store, { type: 'RecordCreated', data: { ...created.data, vmId } as never });
  }
  const stop = command.StopVm('stop');
  await tell(store, { type: 'StopVm', data: { ...stop.data, vmId: 'stopped' } as never });
  asked = [];
  refreshed = [];
  redisIsAway = false;
  refused = 0;
  board = createProgressBoard();
  measurements = createMeasurements({
    db: store.db,
    board,
    log,
    refresh: (key) => refreshed.push(key),
    terminals: { look: async () => undefined },
    producer: {
      add: async (job) => {
        if (redisIsAway) {
          refused += 1;
          throw new Error('Redis is away');
        }
        asked.push(job);
      },
    },
  });
});

const answer = (job: NewJob, outcome: Outcome): void =>
  measurements.record({
    jobName: job.jobName,
    jobId: job.jobId,
    operationId: job.jobId,
    vmId: null,
    outcome,
    at: new Date().toISOString(),
  });
const measured = (...vmIds: string[]): Outcome => ({
  kind: 'succeeded',
  result: { vms: vmIds.map((vmId) => ({ vmId, ...figures })) },
});

describe('live figures', () => {
  it('are asked of every host once, for the VMs that run', async () => {
    measurements.ask(
      ['a', 'b', 'c', 'stopped', 'unknown'].map((vmId) => ({ vmId, key: 'm' })),
      'corr',
    );
    await vi.waitFor(() => expect(asked).toHaveLength(2));
    expect(asked.map(({ host, payload }) => [host, (payload as { vmIds: string[] }).vmIds])).toEqual([
      ['h1', ['a', 'b']],
      ['h2', ['c']],
    ]);
    expect(asked[0]!.jobId).not.toBe(asked[1]!.jobId);
  });

  it('are shown by every message that waits for them, once', async () => {
    measurements.ask(
      [
        { vmId: 'a', key: 'm1' },
        { vmId: 'b', key: 'm2' },
      ],
      'corr',
    );
    await vi.waitFor(() => expect(asked).toHaveLength(1));
    answer(asked[0]!, measured('a'));
    expect(board.figuresOf('a')).toEqual(figures);
    expect(board.figuresOf('b')).toBeNull();
    expect(refreshed.sort()).toEqual(['m1', 'm2']);
    answer(asked[0]!, measured('a'));
    expect(refreshed).toHaveLength(2);
  });

  it('that could not be had leave the message as it is', async () => {
    measurements.ask([{ vmId: 'a', key: 'm1' }], 'corr');
    await vi.waitFor(() => expect(asked).toHaveLength(1));
    answer(asked[0]!, { kind: 'failed', reason: { code: 'docker-unreachable', detail: '' } });
    expect(refreshed).toEqual([]);
    redisIsAway = true;
    measurements.ask([{ vmId: 'a', key: 'm1' }], 'corr');
    await vi.waitFor(() => expect(refused).toBe(1));
    redisIsAway = false;
    measurements.ask([{ vmId: 'a', key: 'm3' }], 'corr');
    await vi.waitFor(() => expect(asked).toHaveLength(2));
    answer(asked[1]!, measured('a'));
    expect(refreshed).toEqual(['m3']);
  });

  it('cost the host nothing when nobody has a VM that runs', async () => {
    measurements.ask([{ vmId: 'stopped', key: 'm' }], 'corr');
    measurements.ask([{ vmId: 'a', key: 'm' }], 'corr');
    await vi.waitFor(() => expect(asked).toHaveLength(1));
  });
});
