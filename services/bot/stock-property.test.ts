import fc from 'fast-check';
import { expect, it } from 'vitest';
import { someThing } from '../../shared/stray/testing/things.ts';
import type { Thing } from '../../shared/stray/thing.ts';
import type { VmCommand } from '../../shared/vm/commands.ts';
import { command } from '../../shared/vm/testing/history.ts';
import { findVm } from './queries.ts';
import type { Store } from './store/store.ts';
import { openTestStore, tell } from './store/testing/store.ts';
import { findStrays } from './strays.ts';
import { type Clearing, minute, openStockTaking, type Question } from './testing/stock.ts';

/**
 * Looks, answers, removals, people's commands and workers' doings in whatever order: questions are answered late, answers
 * lie about, workers are cut off in the middle, and Docker ends slow creations whose worker is long gone. Never is anything
 * of a living VM removed, and in the end nothing is left of those that have ended.
 */

/** What can happen to a VM in each state; `make-…` is what a worker or Docker itself does. */
const lives: Record<string, readonly string[]> = {
  none: ['request'],
  creating: ['make-volume', 'make-container', 'succeed', 'succeed', 'fail', 'destroy'],
  running: ['stop', 'destroy', 'vanish'],
  stopping: ['succeed', 'destroy'],
  stopped: ['start', 'destroy', 'vanish'],
  starting: ['succeed', 'fail', 'destroy'],
  destroying: ['unmake', 'make-container', 'succeed', 'succeed', 'fail'],
  destroyed: ['make-container', 'make-volume'],
  failed: ['make-container', 'destroy'],
  lost: ['make-container', 'destroy'],
};
const successes: Record<string, (operationId: string) => VmCommand> = {
  creating: command.RecordCreated,
  starting: command.RecordStarted,
  stopping: command.RecordStopped,
  destroying: command.RecordDestroyed,
};
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ of: fc.constantFrom('a', 'b', 'c'), pick: fc.nat(11) }) },
  { weight: 3, arbitrary: fc.record({ look: fc.constantFrom('ask', 'see', 'hear', 'clear') }) },
  { weight: 1, arbitrary: fc.record({ look: fc.constantFrom('wait') }) },
);

/** Docker and the VMs of one history. */
const createWorld = (store: Store, run: number) => {
  const there = new Map<string, Thing>();
  let made = 0;
  const remove = (wanted: (thing: Thing) => boolean) => {
    for (const [id, thing] of there) if (wanted(thing)) there.delete(id);
  };
  const say = (vmId: string, { type, data }: VmCommand) =>
    tell(store, { type, data: { ...data, vmId } } as VmCommand);
  const make = (vmId: string, kind: Thing['kind']) => {
    if ([...there.values()].some((thing) => thing.vmId === vmId && thing.kind === kind)) return;
    made += 1;
    const thing = someThing({ vmId, kind, createdAt: new Date(made * 1_000).toISOString() });
    const id = kind === 'volume' ? thing.id : `c${made}`;
    there.set(id, { ...thing, id });
  };

  const act = async (vmId: string, what: string): Promise<void> => {
    const vm = await findVm(store.db, vmId);
    const operation = vm?.operation_id ?? '';
    const { status, epoch } = vm ?? { status: 'none', epoch: 0 };
    switch (what) {
      case 'request':
        await say(vmId, command.RequestVm(`create-${vmId}`));
        return;
      case 'make-volume':
        return make(vmId, 'volume');
      case 'make-container':
        return make(vmId, 'container');
      case 'succeed':
        if (status === 'creating') {
          make(vmId, 'volume');
          make(vmId, 'container');
        }
        await say(vmId, successes[status]!(operation));
        return;
      case 'fail':
        await say(vmId, command.RecordFailed(operation));
        return;
      case 'start':
        await say(vmId, command.StartVm(`start-${vmId}-${epoch}`));
        return;
      case 'stop':
        await say(vmId, command.StopVm(`stop-${vmId}-${epoch}`));
        return;
      case 'destroy':
        await say(vmId, command.DestroyVm(`destroy-${vmId}-${epoch}`));
        return;
      case 'unmake':
        return remove((thing) => thing.vmId === vmId);
      case 'vanish':
        remove((thing) => thing.vmId === vmId && thing.kind === 'container');
        await say(vmId, command.RecordVanished('', epoch));
    }
  };
  const statusOf = async (vmId: string) => (await findVm(store.db, vmId))?.status ?? 'none';

  return {
    there,
    statusOf,
    idOf: (of: string) => `${of}${run}`,
    async live(vmId: string, pick: number): Promise<void> {
      const possible = lives[await statusOf(vmId)]!;
      await act(vmId, possible[pick % possible.length]!);
    },
    /** The worker's part: only what is still the same. Gives how many things went. */
    async clear({ vmId, things }: Clearing): Promise<number> {
      const same = things.filter(({ id, createdAt }) => there.get(id)?.createdAt === createdAt);
      const status = await statusOf(vmId);
      for (const { kind, id } of same) {
        expect(['destroyed', 'failed', 'destroying'], `${kind} of ${vmId}`).toContain(status);
        there.delete(id);
      }
      return same.length;
    },
  };
};

it('nothing of a living VM is ever removed, and nothing of one that has ended stays', async () => {
  const counts = { histories: 0, cleared: 0 };
  const store = await openTestStore();
  const tryHistory = async (history: { of?: string; pick?: number; look?: string }[]): Promise<void> => {
    counts.histories += 1;
    const world = createWorld(store, counts.histories);
    const host = openStockTaking(store);
    const questions: Question[] = [];
    // Whatever the question expected: the bot relies on no worker's leaving something out.
    const answers: { question: Question; things: Thing[] }[] = [];
    const removals: Clearing[] = [];

    const look = async (what: string): Promise<void> => {
      switch (what) {
        case 'ask':
          host.stock.look(['local']);
          await host.stock.close();
          questions.push(...host.questions());
          return;
        case 'see':
          for (const question of questions.splice(0))
            answers.push({ question, things: [...world.there.values()] });
          return;
        case 'hear':
          for (const { question, things } of answers.splice(0)) await host.answer(question, things);
          removals.push(...host.clearings());
          return;
        case 'clear':
          for (const removal of removals.splice(0)) {
            counts.cleared += await world.clear(removal);
            host.stock.recordRemoval({ operationId: removal.requestId });
          }
          return;
        default:
          host.pass(6 * minute);
      }
    };

    for (const { of, pick, look: what } of history) {
      if (of !== undefined) await world.live(world.idOf(of), pick!);
      else await look(what!);
    }
    for (let round = 0; round < 3; round += 1)
      for (const what of ['wait', 'ask', 'see', 'hear', 'clear']) await look(what);
    for (const { vmId, kind } of world.there.values())
      expect(['destroyed', 'failed', 'none'], `${kind} of ${vmId} stays`).not.toContain(
        await world.statusOf(vmId!),
      );
    const strays = (await findStrays(store.db)).filter(
      ({ vm_id }) => vm_id?.slice(1) === `${counts.histories}`,
    );
    for (const { reason } of strays) expect(reason).toBe('lost-vm');
  };
  const histories = fc.array(step, { minLength: 20, maxLength: 60, size: 'max' });
  await fc.assert(fc.asyncProperty(histories, tryHistory), { numRuns: 40 });
  expect(counts.cleared).toBeGreaterThan(0);
}, 120_000);
