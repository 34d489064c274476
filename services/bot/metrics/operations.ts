import { Counter, Histogram, type Registry } from 'prom-client';
import type { Event } from '../../../shared/event-store/schema.ts';
import type { Log } from '../../../shared/log.ts';
import type { OperationKind } from '../../../shared/vm/events.ts';
import { terminalEvents } from '../progress-board.ts';
import type { DomainEvent } from '../store/domain-event.ts';
import type { OperationStatus } from '../store/schema.ts';
import type { Store } from '../store/store.ts';

/** How operations ended and how long they took, counted from what was committed: each of them once. */

const kinds: readonly (OperationKind | 'build-image' | 'link' | 'remove-strays')[] = [
  'create',
  'start',
  'restart',
  'stop',
  'destroy',
  'exec',
  'access',
  'build-image',
  'link',
  'remove-strays',
];
const outcomes: readonly Exclude<OperationStatus, 'open'>[] = [
  'succeeded',
  'failed',
  'cancelled',
  'timed-out',
];

/** Seconds: from a command that is done at once to an image that is built. */
const buckets = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_200];

/** A commit of more ends than that, by an order for all VMs, is looked up in parts. */
const longestQuery = 500;

const operationIdsOf = (events: readonly Event<DomainEvent>[]): string[] => {
  const ids = events
    .filter(({ type }) => terminalEvents.has(type))
    .map(({ data }) => (data as { operationId: string }).operationId);
  return [...new Set(ids)];
};

export const countOperations = (registry: Registry, db: Store['db'], log: Log) => {
  const registers = [registry];
  const ended = new Counter({
    name: 'berth_operations_total',
    help: 'Operations that ended, by kind and outcome.',
    labelNames: ['kind', 'outcome'],
    registers,
  });
  const duration = new Histogram({
    name: 'berth_operation_duration_seconds',
    help: 'From the request of an operation to its end, by kind.',
    labelNames: ['kind'],
    buckets,
    registers,
  });
  // A series that begins at 1 hides its first operation from Prometheus' rate().
  for (const kind of kinds) {
    duration.zero({ kind });
    for (const outcome of outcomes) ended.inc({ kind, outcome }, 0);
  }

  const count = async (operationIds: readonly string[]): Promise<void> => {
    for (let from = 0; from < operationIds.length; from += longestQuery) {
      const rows = await db
        .selectFrom('operations')
        .select(['kind', 'status', 'requested_at', 'ended_at'])
        .where('operation_id', 'in', operationIds.slice(from, from + longestQuery))
        .where('ended_at', 'is not', null)
        .execute();
      for (const { kind, status, requested_at, ended_at } of rows) {
        ended.inc({ kind, outcome: status });
        const milliseconds = Date.parse(ended_at ?? requested_at) - Date.parse(requested_at);
        duration.observe({ kind }, Math.max(0, milliseconds) / 1_000);
      }
    }
  };

  /** For the store's commits. */
  return (events: readonly Event<DomainEvent>[]): void => {
    const operationIds = operationIdsOf(events);
    if (operationIds.length === 0) return;
    count(operationIds).catch((err: unknown) => log.warn({ err }, 'operations were not counted'));
  };
};
