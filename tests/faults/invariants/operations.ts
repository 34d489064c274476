import type { Event } from '../../../shared/event-store/schema.ts';
import { vm } from '../../../shared/vm/decider.ts';
import type { VmEvent } from '../../../shared/vm/events.ts';
import type { Vm } from '../../../shared/vm/vm.ts';
import { isVm } from '../evidence.ts';
import type { Finding, Invariant } from './invariant.ts';

/** What the log of events must be like. */

const begins = [
  'VmRequested',
  'VmStartRequested',
  'VmRestartRequested',
  'VmStopRequested',
  'VmDestroyRequested',
  'ExecRequested',
  'AccessUpdateRequested',
] as const;
const succeeds = [
  'VmCreated',
  'VmStarted',
  'VmRestarted',
  'VmStopped',
  'VmDestroyed',
  'ExecFinished',
  'AccessUpdated',
] as const;
const givesUp = ['OperationFailed', 'OperationCancelled', 'OperationTimedOut'] as const;
const ends: readonly string[] = [...succeeds, ...givesUp];

const isBegin = ({ type }: VmEvent): boolean => (begins as readonly string[]).includes(type);
const isEnd = ({ type }: VmEvent): boolean => ends.includes(type);
const operationOf = ({ data }: VmEvent): string => ('operationId' in data ? data.operationId : '');

/**
 * Asked for by a person for one VM of theirs: no order for many, no change of keys in all, and not what nobody hears of
 * because it goes along with another wish, as the removal of a failed VM whose name a new one takes.
 */
const isOwnWish = (event: Event<VmEvent>): boolean =>
  isBegin(event) &&
  event.metadata.chat !== null &&
  !('order' in event.data && event.data.order !== undefined) &&
  !('cause' in event.data && event.data.cause === 'keys');

export const oneUpdateOneOperation: Invariant = {
  name: 'one update leads to one operation at most, however often it comes',
  check({ stored }) {
    const ofUpdates = stored.events.filter(({ metadata }) => metadata.causationId?.startsWith('update-'));
    return [...Map.groupBy(ofUpdates, ({ metadata }) => metadata.causationId!)].flatMap(
      ([update, events]) => {
        const times = new Set(events.map(({ metadata }) => metadata.correlationId)).size;
        const wishes = events.filter(isVm).filter(isOwnWish);
        const about = wishes[0] === undefined ? {} : { vmId: wishes[0].data.vmId };
        return [
          ...(times > 1 ? [{ what: `${update} was handled ${times} times`, ...about }] : []),
          ...(wishes.length > 1
            ? [{ what: `${update} began ${wishes.map(({ type }) => type).join(' and ')}`, ...about }]
            : []),
        ];
      },
    );
  },
};

export const oneEnd: Invariant = {
  name: 'every operation ends once',
  check({ stored }) {
    const events = stored.events.filter(isVm);
    const began = Map.groupBy(events.filter(isBegin), operationOf);
    const ended = Map.groupBy(events.filter(isEnd), operationOf);
    return [
      ...[...began].flatMap(([id, [first, ...more]]) => {
        const { vmId } = first!.data;
        const ways = (ended.get(id) ?? []).map(({ type }) => type);
        return [
          ...(more.length > 0 ? [{ what: `operation ${id} began ${more.length + 1} times`, vmId }] : []),
          ...(ways.length > 1 ? [{ what: `operation ${id} ended as ${ways.join(' and ')}`, vmId }] : []),
        ];
      }),
      ...[...ended.keys()]
        .filter((id) => !began.has(id))
        .map((id) => ({
          what: `operation ${id} ended and had never begun`,
          vmId: ended.get(id)![0]!.data.vmId,
        })),
    ];
  },
};

/** What is wrong with the event, as the VM stood before it. */
const staleness = (event: VmEvent, before: Vm): string | undefined => {
  if ('epoch' in event.data && event.data.epoch !== before.epoch + 1) {
    return `${event.type} has epoch ${event.data.epoch} after ${before.epoch}`;
  }
  if (!isEnd(event)) return undefined;
  const id = operationOf(event);
  const isOpen = before.operation?.id === id || id in before.execs || id in before.updates;
  return isOpen ? undefined : `${event.type} of ${id} was taken when that was not in flight`;
};

export const nothingStale: Invariant = {
  name: 'no outcome is taken that is out of date',
  check({ stored }) {
    const findings: Finding[] = [];
    const states = new Map<string, { version: number; state: Vm }>();
    for (const event of stored.events.filter(isVm) as Event<VmEvent>[]) {
      const { vmId } = event.data;
      const { version, state } = states.get(vmId) ?? { version: 0, state: vm.initialState };
      if (event.version !== version + 1) {
        findings.push({ what: `${event.type} is version ${event.version} after ${version}`, vmId });
      }
      const wrong = staleness(event, state);
      if (wrong !== undefined) findings.push({ what: wrong, vmId });
      states.set(vmId, { version: event.version, state: vm.evolve(state, event) });
    }
    return findings;
  },
};

export const noAccident: Invariant = {
  name: 'what Berth does itself is never told as an accident',
  check({ stored, engineRestarts }) {
    return stored.events.filter(isVm).flatMap(({ type, data }) => {
      const exited = type === 'VmExited' && !(data.cause === 'host-restarted' && engineRestarts > 0);
      return exited || type === 'VmLost'
        ? [{ what: `${type} ${JSON.stringify(data)}`, vmId: data.vmId }]
        : [];
    });
  },
};
