import { type Decider, IllegalStateError, type Message } from '../decider.ts';
import type { Failure } from '../vm/failure.ts';
import type { StrayReason } from './sorting.ts';
import { type Thing, thingKey } from './thing.ts';

/**
 * The strays of one host, as far as they were told, and their removal where an administrator wants it. The removal is an
 * operation without a VM: it has the same ends as the others. `by`: the administrator's Telegram id.
 */

export type Stray = Thing & Readonly<{ reason: StrayReason }>;

type OnHost = { host: string; at: string };
type Removal = OnHost & { operationId: string };

export type StraysFound = Message<'StraysFound', OnHost & { strays: readonly Stray[] }>;
/** No longer on the host, or accounted for now. */
export type StraysGone = Message<'StraysGone', OnHost & { keys: readonly string[] }>;
export type StrayRemovalRequested = Message<
  'StrayRemovalRequested',
  Removal & { strays: readonly Stray[]; by: number }
>;
export type StraysRemoved = Message<'StraysRemoved', Removal>;
export type StrayRemovalFailed = Message<'StrayRemovalFailed', Removal & { reason: Failure }>;
export type StrayRemovalTimedOut = Message<'StrayRemovalTimedOut', Removal>;
export type StrayEvent =
  | StraysFound
  | StraysGone
  | StrayRemovalRequested
  | StraysRemoved
  | StrayRemovalFailed
  | StrayRemovalTimedOut;

/**
 * What a look found. `present`: keys of all strays there are, null where not all were looked at; `certain`: those that are
 * old enough and were seen often enough to be told. One that was told before stays told for as long as it is present.
 */
export type RecordStrays = Message<
  'RecordStrays',
  OnHost & { present: readonly string[] | null; certain: readonly Stray[] }
>;
export type RequestStrayRemoval = Message<
  'RequestStrayRemoval',
  Removal & { keys: readonly string[]; by: number }
>;
/** Outcomes are delivered at least once: one that no longer fits yields no event. */
export type RecordStraysRemoved = Message<'RecordStraysRemoved', Removal>;
export type RecordStrayRemovalFailed = Message<'RecordStrayRemovalFailed', StrayRemovalFailed['data']>;
export type RecordStrayRemovalTimedOut = Message<'RecordStrayRemovalTimedOut', Removal>;
export type StrayCommand =
  | RecordStrays
  | RequestStrayRemoval
  | RecordStraysRemoved
  | RecordStrayRemovalFailed
  | RecordStrayRemovalTimedOut;

/** By key. `removals`: the keys that an operation in flight is about. */
export type Strays = Readonly<{
  told: Readonly<Record<string, Stray>>;
  removals: Readonly<Record<string, readonly string[]>>;
}>;

export const initialState: Strays = { told: {}, removals: {} };

/** Of a VM that has a home somewhere, only an order to that VM removes anything. */
export const isRemovable = ({ reason }: Pick<Stray, 'reason'>): boolean =>
  reason === 'unknown-vm' || reason === 'misnamed';

const without = <T>(record: Readonly<Record<string, T>>, keys: readonly string[]): Record<string, T> =>
  Object.fromEntries(Object.entries(record).filter(([key]) => !keys.includes(key)));

export const evolve = (strays: Strays, { type, data }: StrayEvent): Strays => {
  switch (type) {
    case 'StraysFound':
      return {
        ...strays,
        told: { ...strays.told, ...Object.fromEntries(data.strays.map((stray) => [thingKey(stray), stray])) },
      };
    case 'StraysGone':
      return { ...strays, told: without(strays.told, data.keys) };
    case 'StrayRemovalRequested':
      return {
        ...strays,
        removals: { ...strays.removals, [data.operationId]: data.strays.map(thingKey) },
      };
    case 'StraysRemoved':
      return {
        told: without(strays.told, strays.removals[data.operationId] ?? []),
        removals: without(strays.removals, [data.operationId]),
      };
    case 'StrayRemovalFailed':
    case 'StrayRemovalTimedOut':
      return { ...strays, removals: without(strays.removals, [data.operationId]) };
  }
};

const recordLook = (
  { told, removals }: Strays,
  { host, at, present, certain }: RecordStrays['data'],
): StrayEvent[] => {
  const there = new Set(present ?? Object.keys(told));
  const going = new Set(Object.values(removals).flat());
  const found = certain.filter((stray) => told[thingKey(stray)]?.reason !== stray.reason);
  // Of those that are being removed, the removal's own end tells.
  const gone = Object.keys(told).filter((key) => !there.has(key) && !going.has(key));
  return [
    ...(gone.length === 0 ? [] : [{ type: 'StraysGone' as const, data: { host, at, keys: gone } }]),
    ...(found.length === 0 ? [] : [{ type: 'StraysFound' as const, data: { host, at, strays: found } }]),
  ];
};

export const decide = ({ type, data }: StrayCommand, strays: Strays): StrayEvent[] => {
  switch (type) {
    case 'RecordStrays':
      return recordLook(strays, data);
    case 'RequestStrayRemoval': {
      const { keys, ...request } = data;
      const going = new Set(Object.values(strays.removals).flat());
      const wanted = keys.filter((key) => !going.has(key)).flatMap((key) => strays.told[key] ?? []);
      const removable = wanted.filter(isRemovable);
      if (removable.length === 0) throw new IllegalStateError('strays-gone', 'there is nothing to remove');
      return [{ type: 'StrayRemovalRequested', data: { ...request, strays: removable } }];
    }
    case 'RecordStraysRemoved':
      return Object.hasOwn(strays.removals, data.operationId) ? [{ type: 'StraysRemoved', data }] : [];
    case 'RecordStrayRemovalFailed':
      return Object.hasOwn(strays.removals, data.operationId) ? [{ type: 'StrayRemovalFailed', data }] : [];
    case 'RecordStrayRemovalTimedOut':
      return Object.hasOwn(strays.removals, data.operationId) ? [{ type: 'StrayRemovalTimedOut', data }] : [];
  }
};

export const strays: Decider<Strays, StrayCommand, StrayEvent> = { initialState, decide, evolve };

export const strayStream = (host: string): string => `strays-${host}`;
