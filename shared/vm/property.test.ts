import fc from 'fast-check';
import { expect, it } from 'vitest';
import { IllegalStateError } from '../decider.ts';
import type { VmCommand } from './commands.ts';
import { vm } from './decider.ts';
import type { VmEvent } from './events.ts';
import { command } from './testing/history.ts';
import type { Vm } from './vm.ts';

/**
 * Whatever is asked and reported, in whatever order, repeated or stale: a VM never comes into a state that has no
 * meaning. Requests bring a new id, as the bot gives them, or repeat one that is in flight; outcomes name any
 * operation there ever was.
 */

const requests = [
  'StartVm',
  'RestartVm',
  'StopVm',
  'RequestExec',
  'RequestExec',
  'OrderStop',
  'OrderStart',
  'ChangePassword',
  'UpdateKeys',
] as const;
const outcomes = [
  'CancelOperation',
  'RecordCreated',
  'RecordStarted',
  'RecordRestarted',
  'RecordStopped',
  'RecordDestroyed',
  'RecordExecFinished',
  'RecordFailed',
  'RecordCancelled',
  'RecordTimedOut',
  'ReassignPort',
  'RecordAccessUpdated',
  'RecordOutOfMemory',
] as const;
const successes = {
  create: 'RecordCreated',
  start: 'RecordStarted',
  restart: 'RecordRestarted',
  stop: 'RecordStopped',
  destroy: 'RecordDestroyed',
} as const;

const rarely = fc.nat(4).map((number) => number === 0);
const gone = { code: 'container-vanished', detail: '' } as const;
/** `of` picks an operation, counted back from the newest: repeats and stale ones among them. */
const back = fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 2, arbitrary: fc.nat(12) });
/** Most lives would end early: destroying and vanishing are rarer than the rest, and success is more frequent. */
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ name: fc.constantFrom(...requests), repeated: fc.nat(4), of: back }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      name: fc.constantFrom('RequestVm' as const, 'DestroyVm' as const),
      repeated: fc.nat(4),
      of: back,
    }),
  },
  { weight: 6, arbitrary: fc.record({ name: fc.constantFrom(...outcomes), vanished: rarely, of: back }) },
  {
    weight: 1,
    arbitrary: fc.record({
      name: fc.constantFrom(
        'RecordVanished' as const,
        'RecordExited' as const,
        'host' as const,
        'RecordFoundRunning' as const,
        'RecordDiskUse' as const,
      ),
      vanished: rarely,
      of: back,
    }),
  },
  { weight: 4, arbitrary: fc.record({ name: fc.constant('success' as const), vanished: rarely, of: back }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

const lifecycleOf: Partial<Record<Vm['status'], readonly string[]>> = {
  creating: ['create'],
  starting: ['start', 'restart'],
  stopping: ['stop'],
  destroying: ['destroy'],
};
const gonePerhaps = ['none', 'stopped', 'destroying', 'destroyed', 'failed', 'lost'];

const inFlight = ({ operation, execs, updates }: Vm): string[] => [
  ...(operation === null ? [] : [operation.id]),
  ...Object.keys(execs),
  ...Object.keys(updates),
];

/** The ids of operations that begin and end with this event. */
const begunBy = ({ type, data }: VmEvent): string | undefined =>
  type === 'VmRequested' || (type !== 'ExecCancelRequested' && type.endsWith('Requested'))
    ? (data as { operationId: string }).operationId
    : undefined;
const endedBy = ({ type, data }: VmEvent): string | undefined =>
  /^(Vm(Created|Started|Restarted|Stopped|Destroyed)|ExecFinished|AccessUpdated|Operation\w+)$/.test(type)
    ? (data as { operationId: string }).operationId
    : undefined;

const commandOf = (next: Step, known: readonly string[], state: Vm, fresh: string): VmCommand => {
  const older = known.at(-1 - next.of) ?? 'never';
  if (!('vanished' in next)) {
    const flying = inFlight(state);
    return command[next.name](next.repeated === 0 ? (flying[next.of % flying.length] ?? fresh) : fresh);
  }
  if (next.name === 'success') {
    const { operation } = state;
    return operation === null
      ? command[next.of % 2 === 0 ? 'RecordExecFinished' : 'RecordAccessUpdated'](older)
      : command[successes[operation.kind]](operation.id);
  }
  // Seen now, or by somebody who looked before the newest operation began.
  const epoch = state.epoch - (next.of > 6 ? 1 : 0);
  if (next.name === 'RecordExited') return command.RecordExited(fresh, epoch);
  if (next.name === 'host') return command.RecordExited(fresh, epoch, 'host-restarted');
  if (next.name === 'RecordFoundRunning') return command.RecordFoundRunning(fresh, epoch);
  if (next.name === 'RecordDiskUse') {
    return command.RecordDiskUse(fresh, {
      epoch,
      share: 0.8 + (next.of % 6) / 10,
      when: next.vanished ? undefined : '2026-01-01T01:00:00.000Z',
    });
  }
  if (next.name === 'RecordVanished') return command.RecordVanished(fresh, epoch);
  if (next.name === 'CancelOperation') return command.CancelOperation(older, fresh);
  if (next.name === 'RecordFailed') return command.RecordFailed(older, next.vanished ? gone : undefined);
  return command[next.name](older);
};

const decideOrRefuse = (wanted: VmCommand, state: Vm): VmEvent[] | IllegalStateError => {
  try {
    return vm.decide(wanted, state);
  } catch (error) {
    if (error instanceof IllegalStateError) return error;
    throw error;
  }
};

const checkState = (state: Vm): void => {
  const kinds = lifecycleOf[state.status];
  if (kinds === undefined) expect(state.operation, state.status).toBeNull();
  else expect(kinds).toContain(state.operation?.kind);
  if (gonePerhaps.includes(state.status)) expect([state.execs, state.updates]).toEqual([{}, {}]);
  // A plan is for the end of the operation in flight, and what maintenance stopped is down or on its way there.
  const { stop, start, access } = state.planned;
  if (stop !== null || access !== null) expect(['creating', 'starting']).toContain(state.status);
  if (start !== null) expect(state).toMatchObject({ status: 'stopping', paused: true });
  if (state.paused) expect(['stopping', 'stopped']).toContain(state.status);
};

const checkDestroy = (before: Vm, answer: VmEvent[] | IllegalStateError, after: Vm): void => {
  if (['none', 'destroying', 'destroyed'].includes(before.status)) {
    expect(answer).toBeInstanceOf(IllegalStateError);
    return;
  }
  const cancelled = (answer as VmEvent[])
    .filter(({ type }) => type === 'OperationCancelled')
    .map((event) => endedBy(event));
  expect(cancelled).toEqual(inFlight(before));
  expect(after).toMatchObject({ status: 'destroying', execs: {}, updates: {} });
};

/** Runs the steps and checks after each; gives every state that was reached. */
const live = (steps: readonly Step[]): Set<string> => {
  let state = vm.initialState;
  const known: string[] = [];
  const ended = new Set<string>();
  const reached = new Set<string>();
  for (const [index, next] of steps.entries()) {
    const wanted = commandOf(next, known, state, `op-${index}`);
    const before = state;
    const answer = decideOrRefuse(wanted, state);
    for (const event of answer instanceof IllegalStateError ? [] : answer) {
      const [begun, over] = [begunBy(event), endedBy(event)];
      if (over !== undefined) {
        expect(inFlight(state)).toContain(over);
        expect(ended).not.toContain(over);
        ended.add(over);
      }
      if (begun !== undefined) {
        expect(known).not.toContain(begun);
        known.push(begun);
      }
      if ('epoch' in event.data) expect(event.data.epoch).toBe(state.epoch + 1);
      expect(before.status, 'a destroyed VM changed').not.toBe('destroyed');
      state = vm.evolve(state, event);
    }
    // What has begun and not ended is in flight, and nothing else is.
    expect(inFlight(state).sort()).toEqual(known.filter((id) => !ended.has(id)).sort());
    const isRepeat = 'operationId' in wanted.data && inFlight(before).includes(wanted.data.operationId);
    if (wanted.type === 'DestroyVm' && !isRepeat) checkDestroy(before, answer, state);
    checkState(state);
    reached.add(state.operation === null ? state.status : `${state.status}/${state.operation.kind}`);
  }
  return reached;
};

/** Histories begin with a VM most of the time; of those that do not, the first commands are all refused. */
const first: Step = { name: 'RequestVm', repeated: 1, of: 0 };

it('no sequence of commands and outcomes reaches a state that has no meaning', () => {
  const reached = new Set<string>();
  fc.assert(
    fc.property(fc.boolean(), fc.array(step, { maxLength: 60, size: 'max' }), (begun, steps) => {
      for (const state of live(begun ? [first, ...steps] : steps)) reached.add(state);
    }),
    { numRuns: 1_500 },
  );
  // The sequences are worth something only if they go everywhere.
  expect([...reached].sort()).toEqual(
    [
      'none',
      'creating/create',
      'starting/start',
      'starting/restart',
      'running',
      'stopping/stop',
      'stopped',
      'destroying/destroy',
      'destroyed',
      'failed',
      'lost',
    ].sort(),
  );
});
