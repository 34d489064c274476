import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { JobAddress } from '../../queues/producer.ts';
import { createLog } from '../../shared/log.ts';
import { command } from '../../shared/vm/testing/history.ts';
import { createProgressBoard, type ProgressBoard } from './progress-board.ts';
import type { Store } from './store/store.ts';
import { openTestStore, tell } from './store/testing/store.ts';
import { createTicker } from './ticker.ts';

const log = createLog('test', 'silent');

let store: Store;
let board: ProgressBoard;
let refreshed: string[];
let asked: JobAddress[];
/** Jobs before ours; an error while Redis is away. */
let position: number | null | Error;

beforeEach(async () => {
  store = await openTestStore();
  board = createProgressBoard();
  refreshed = [];
  asked = [];
  position = 3;
});

const start = () => {
  const ticker = createTicker({
    db: store.db,
    board,
    log,
    interval: 5,
    refresh: (key) => refreshed.push(key),
    producer: {
      position: async (address) => {
        asked.push(address);
        if (position instanceof Error) throw position;
        return position;
      },
    },
  });
  onTestFinished(() => ticker.close());
  return ticker;
};

describe('the message of an operation that waits', () => {
  it('is refreshed, and tells how many are before it', async () => {
    await tell(store, command.RequestVm('create'));
    start();
    await vi.waitFor(() => expect(refreshed).toContain('op:create'));
    expect(asked[0]).toEqual({ jobName: 'create-vm', host: 'local', jobId: 'create.1' });
    expect(board.of('create', 'local').ahead).toBe(3);
    position = null;
    await vi.waitFor(() => expect(board.of('create', 'local').ahead).toBeNull());
  });

  it('is refreshed without asking once a worker tells its steps', async () => {
    await tell(store, command.RequestVm('create'));
    board.record({ host: 'local', operationId: 'create', step: 'starting' });
    start();
    await vi.waitFor(() => expect(refreshed).toContain('op:create'));
    expect(asked).toEqual([]);
    expect(board.of('create', 'local').step).toBe('starting');
  });

  it('is left alone when it was just asked for, or has ended', async () => {
    const { data } = command.RequestVm('young');
    const at = new Date().toISOString();
    await tell(store, { type: 'RequestVm', data: { ...data, vmId: 'other', at } as never });
    await tell(store, command.RequestVm('ended'));
    await tell(store, command.RecordCreated('ended'));
    await tell(store, command.StopVm('old'));
    start();
    await vi.waitFor(() => expect(refreshed).toContain('op:old'));
    expect(new Set(refreshed)).toEqual(new Set(['op:old']));
  });

  it('tells the time also while Redis is away, and its place again when it is back', async () => {
    await tell(store, command.RequestVm('create'));
    position = new Error('Redis is away');
    start();
    await vi.waitFor(() => expect(refreshed.length).toBeGreaterThan(2));
    position = 0;
    await vi.waitFor(() => expect(board.of('create', 'local').ahead).toBe(0));
  });

  it('is left alone after the end', async () => {
    await tell(store, command.RequestVm('create'));
    const ticker = start();
    await vi.waitFor(() => expect(refreshed).toContain('op:create'));
    await ticker.close();
    const { length } = refreshed;
    await store.db.selectFrom('vms').selectAll().execute();
    expect(refreshed).toHaveLength(length);
  });
});
