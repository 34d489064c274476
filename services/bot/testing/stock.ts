import { expect, vi } from 'vitest';
import type { Payload, removeLeftovers, takeStock } from '../../../queues/catalog.ts';
import type { NewJob } from '../../../queues/producer.ts';
import { createLog } from '../../../shared/log.ts';
import { instance } from '../../../shared/stray/testing/things.ts';
import type { Thing } from '../../../shared/stray/thing.ts';
import { createStockTaking } from '../stock-taking.ts';
import type { Store } from '../store/store.ts';

/** Stock-taking over a real database, with a test in the place of Redis, of the workers and of the clock. */

export type Question = Payload<typeof takeStock>;
export type Clearing = Payload<typeof removeLeftovers>;

/** When it begins; VMs of the tests' histories have ended long before. */
export const begin = Date.parse('2026-02-01T00:00:00.000Z');
export const minute = 60_000;

export const openStockTaking = (store: Store) => {
  const jobs: NewJob[] = [];
  const fences = new Map<string, number>();
  let time = begin;
  let ready = true;
  const stock = createStockTaking({
    store,
    producer: {
      isReady: () => ready,
      add: async (job) => {
        if (!ready) throw new Error('Redis is away');
        jobs.push(job);
      },
      raiseFence: async (vmId, epoch) => {
        fences.set(vmId, Math.max(epoch, fences.get(vmId) ?? 0));
      },
    },
    instance,
    hosts: () => ['local'],
    log: createLog('test', 'silent'),
    interval: 1_000_000,
    now: () => time,
  });
  const taken = (name: string) => {
    const found = jobs.filter(({ jobName }) => jobName === name);
    for (const job of found) jobs.splice(jobs.indexOf(job), 1);
    return found;
  };
  const succeed = (operationId: string, things: readonly Thing[], complete = true) =>
    stock.record({ operationId, outcome: { kind: 'succeeded', result: { things, complete } } });

  return {
    stock,
    fences,
    pass: (milliseconds: number) => {
      time += milliseconds;
    },
    setReady: (now: boolean) => {
      ready = now;
    },
    /** What was asked to be removed since the last call. */
    clearings: (): Clearing[] => taken('remove-leftovers').map(({ payload }) => payload as Clearing),
    /** Questions since the last call. */
    questions: (): Question[] => taken('take-stock').map(({ payload }) => payload as Question),
    async ask(host = 'local'): Promise<Question> {
      stock.look([host]);
      await vi.waitFor(() => expect(jobs.some(({ jobName }) => jobName === 'take-stock')).toBe(true), {
        interval: 1,
      });
      return taken('take-stock')[0]!.payload as Question;
    },
    answer: ({ requestId }: Question, things: readonly Thing[], complete?: boolean) =>
      succeed(requestId, things, complete),
    /** A whole look, whose answer comes at once. */
    async look(things: readonly Thing[], complete?: boolean): Promise<void> {
      await succeed((await this.ask()).requestId, things, complete);
    },
  };
};
