import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { someThing } from '../../shared/stray/testing/things.ts';
import { command, vmId } from '../../shared/vm/testing/history.ts';
import { createNotifications } from './notifications.ts';
import type { Store } from './store/store.ts';
import { openTestStore, tell } from './store/testing/store.ts';
import { findStrays } from './strays.ts';
import { minute, openStockTaking } from './testing/stock.ts';

const administrators = [1, 2];
const container = someThing({ vmId });
const volume = someThing({ vmId, kind: 'volume' });
const unknown = someThing({ vmId: 'unknown' });

let store: Store;
let host: ReturnType<typeof openStockTaking>;

beforeEach(async () => {
  store = await openTestStore({ policies: [createNotifications(administrators)] });
  host = openStockTaking(store);
  onTestFinished(() => host.stock.close());
  await tell(store, command.RequestVm('create'));
});

const destroy = async () => {
  await tell(store, command.DestroyVm('destroy'));
  await tell(store, command.RecordDestroyed('destroy'));
};
const told = async () => {
  const rows = await store.db.selectFrom('messages').selectAll().where('key', 'like', 'strays:%').execute();
  return rows.map(({ chat_id, view, revision }) => ({ chat: chat_id, view: JSON.parse(view), revision }));
};

describe('a question', () => {
  it('names the VMs that should have something there', async () => {
    expect((await host.ask()).expected).toEqual([vmId]);
  });

  it('names none that has ended', async () => {
    await destroy();
    expect((await host.ask()).expected).toEqual([]);
  });

  it('is not put a second time while its answer is awaited, and again when that does not come', async () => {
    await host.ask();
    host.stock.look(['local']);
    host.stock.look();
    await host.stock.close();
    expect(host.questions()).toEqual([]);
    host.pass(6 * minute);
    expect(await host.ask()).toBeDefined();
  });

  it('is not put while Redis is away, and that is no fault', async () => {
    host.setReady(false);
    host.stock.look();
    await host.stock.close();
    host.setReady(true);
    expect(host.questions()).toEqual([]);
  });
});

describe('what a destroyed VM left behind', () => {
  beforeEach(destroy);

  it('is removed once it was seen twice, by the one job, with the fence raised against the late', async () => {
    await host.look([container, volume]);
    expect(host.clearings()).toEqual([]);
    await host.look([container, volume]);
    expect(host.clearings()).toMatchObject([{ vmId, epoch: 3, things: [container, volume] }]);
    expect(host.fences.get(vmId)).toBe(3);
    expect(await findStrays(store.db)).toEqual([]);
  });

  it('is asked for once until the answer, and again where something is still there then', async () => {
    await host.look([container]);
    await host.look([container]);
    const [clearing] = host.clearings();
    await host.look([container]);
    expect(host.clearings()).toEqual([]);
    host.stock.recordRemoval({ operationId: clearing!.requestId });
    await host.look([container]);
    expect(host.clearings()).toHaveLength(1);
  });

  it('is asked for again where nobody says what became of the removal', async () => {
    await host.look([container]);
    await host.look([container]);
    expect(host.clearings()).toHaveLength(1);
    host.pass(6 * minute);
    await host.look([container]);
    expect(host.clearings()).toHaveLength(1);
  });

  it('is counted anew where it was away in between', async () => {
    await host.look([container]);
    await host.look([]);
    await host.look([container]);
    expect(host.clearings()).toEqual([]);
  });

  it('is found also where an answer holds only a part of what there is', async () => {
    await host.look([container], false);
    await host.look([unknown], false);
    await host.look([container], false);
    expect(host.clearings()).toHaveLength(1);
  });

  it('waits for the next look where Redis is away', async () => {
    await host.look([container]);
    const question = await host.ask();
    host.setReady(false);
    await host.answer(question, [container]);
    host.setReady(true);
    expect(host.clearings()).toEqual([]);
    await host.look([container]);
    expect(host.clearings()).toHaveLength(1);
  });

  it('counts an answer that comes twice as one look', async () => {
    const question = await host.ask();
    const { transaction } = store;
    store.transaction = () => Promise.reject(new Error('the disk is full'));
    await expect(host.answer(question, [container])).rejects.toThrow('the disk is full');
    store.transaction = transaction;
    await host.answer(question, [container]);
    await host.answer(question, [container]);
    expect(host.clearings()).toEqual([]);
  });
});

describe('a VM that has ended just now', () => {
  it('keeps what it left for four minutes', async () => {
    await destroy();
    const { changed_at } = await store.db.selectFrom('vms').select('changed_at').executeTakeFirstOrThrow();
    const late = openStockTaking(store);
    onTestFinished(() => late.stock.close());
    late.pass(Date.parse(changed_at) - Date.parse('2026-02-01T00:00:00.000Z') + 4 * minute - 1);
    await late.look([container]);
    await late.look([container]);
    expect(late.clearings()).toEqual([]);
    late.pass(1);
    await late.look([container]);
    expect(late.clearings()).toHaveLength(1);
  });
});

describe('what a living VM has', () => {
  it('is never removed, also where the question was put before there was such a VM', async () => {
    for (let look = 0; look < 5; look += 1) {
      host.pass(10 * minute);
      await host.look([container, volume]);
    }
    expect(host.clearings()).toEqual([]);
    expect(await findStrays(store.db)).toEqual([]);
  });
});

describe('what no VM accounts for', () => {
  it('is told every administrator once, after two looks, and never removed', async () => {
    await host.look([unknown]);
    expect(await told()).toEqual([]);
    for (let look = 0; look < 4; look += 1) {
      host.pass(10 * minute);
      await host.look([unknown]);
    }
    expect(host.clearings()).toEqual([]);
    expect(await told()).toMatchObject(
      administrators.map((chat) => ({ chat, view: { kind: 'strays' }, revision: 1 })),
    );
  });

  it('is not told again by a bot that has just begun, unless there is something new', async () => {
    await host.look([unknown]);
    await host.look([unknown]);
    const next = openStockTaking(store);
    onTestFinished(() => next.stock.close());
    await next.look([unknown]);
    await next.look([unknown]);
    expect(await told()).toHaveLength(2);
    const another = someThing({ vmId: 'another' });
    await next.look([unknown, another]);
    await next.look([unknown, another]);
    expect(await told()).toHaveLength(4);
  });

  it('is left untold while it is young: somebody may be at work', async () => {
    const young = { ...unknown, createdAt: '2026-02-01T00:00:00.000Z' };
    await host.look([young]);
    await host.look([young]);
    expect(await told()).toEqual([]);
    host.pass(4 * minute);
    await host.look([young]);
    expect(await told()).toHaveLength(2);
  });

  it('is shown as gone in the messages that told it when somebody else removes it', async () => {
    await host.look([unknown]);
    await host.look([unknown]);
    await host.look([]);
    expect(await findStrays(store.db)).toEqual([]);
    expect((await told()).map(({ revision }) => revision)).toEqual([2, 2]);
  });
});

describe('an answer', () => {
  it('of a host without Docker changes nothing', async () => {
    await host.look([unknown]);
    const { requestId } = await host.ask();
    const reason = { code: 'docker-unreachable' as const, detail: '' };
    await host.stock.record({ operationId: requestId, outcome: { kind: 'failed', reason } });
    await host.look([unknown]);
    expect(await findStrays(store.db)).toHaveLength(1);
  });

  it('to a question that nobody knows of changes nothing', async () => {
    const outcome = { kind: 'succeeded' as const, result: { things: [unknown], complete: true } };
    for (let time = 0; time < 3; time += 1) await host.stock.record({ operationId: 'older', outcome });
    expect(await findStrays(store.db)).toEqual([]);
  });
});
