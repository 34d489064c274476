import { describe, expect, it } from 'vitest';
import { specificationFor } from '../specification.ts';
import type { VmCommand } from './commands.ts';
import { vm } from './decider.ts';
import type { VmEvent } from './events.ts';
import { command, happened, maintenance, orderOf } from './testing/history.ts';

/**
 * Every command in every state. A cell names the events that follow, joined by `+`; `-` stands for none, and what
 * begins with `!` is the code of the refusal (`!` alone: the state's own, `vm-<status>`).
 */

const given = specificationFor(vm);
const { requested, created, stopRequested, stopped, restartRequested, destroyRequested } = happened;
const running = [requested(), created()];

const situations: Record<string, VmEvent[]> = {
  none: [],
  creating: [requested()],
  starting: [...running, stopRequested(2), stopped(), happened.startRequested(3)],
  restarting: [...running, restartRequested(2)],
  running,
  busy: [...running, happened.execRequested()],
  updating: [...running, happened.accessRequested()],
  stopping: [...running, stopRequested(2)],
  pausing: [...running, stopRequested(2, 'now', maintenance)],
  paused: [...running, stopRequested(2, 'now', maintenance), stopped()],
  stopped: [...running, stopRequested(2), stopped()],
  destroying: [...running, destroyRequested(2)],
  destroyed: [...running, destroyRequested(2), happened.destroyed()],
  failed: [requested(), happened.failed('create')],
  lost: [...running, happened.lost()],
};

const words: Record<string, VmEvent['type']> = {
  requested: 'VmRequested',
  port: 'VmPortReassigned',
  created: 'VmCreated',
  start: 'VmStartRequested',
  started: 'VmStarted',
  restart: 'VmRestartRequested',
  restarted: 'VmRestarted',
  stop: 'VmStopRequested',
  stopped: 'VmStopped',
  destroy: 'VmDestroyRequested',
  destroyed: 'VmDestroyed',
  exec: 'ExecRequested',
  execcancel: 'ExecCancelRequested',
  done: 'ExecFinished',
  failed: 'OperationFailed',
  cancelled: 'OperationCancelled',
  late: 'OperationTimedOut',
  stopplan: 'VmStopPlanned',
  startplan: 'VmStartPlanned',
  left: 'VmLeftStopped',
  access: 'AccessUpdateRequested',
  accessplan: 'AccessUpdatePlanned',
  updated: 'AccessUpdated',
  password: 'VmPasswordChanged',
  memory: 'VmRanOutOfMemory',
  disklow: 'VmDiskRanLow',
  exited: 'VmExited',
  lost: 'VmLost',
};

/** What was seen on the host is about the VM as it is: the table leaves stale looks to the tests beside it. */
const seenNow = (row: VmCommand, epoch: number): VmCommand =>
  row.type === 'RecordDiskUse' ||
  row.type === 'RecordExited' ||
  row.type === 'RecordVanished' ||
  row.type === 'RecordFoundRunning'
    ? ({ ...row, data: { ...row.data, epoch } } as VmCommand)
    : row;

/** The rows: requests under a new id; then what concerns the newest lifecycle operation, and the exec of `busy`. */
const vanished = { code: 'container-vanished', detail: '' } as const;
const rows: Record<string, VmCommand> = {
  RequestVm: command.RequestVm('new'),
  StartVm: command.StartVm('new'),
  RestartVm: command.RestartVm('new'),
  StopVm: command.StopVm('new'),
  DestroyVm: command.DestroyVm('new'),
  RequestExec: command.RequestExec('new'),
  'RequestExec:again': command.RequestExec('x'),
  CancelOperation: command.CancelOperation('now'),
  'CancelOperation:exec': command.CancelOperation('x'),
  RecordCreated: command.RecordCreated('now'),
  RecordStarted: command.RecordStarted('now'),
  RecordRestarted: command.RecordRestarted('now'),
  RecordStopped: command.RecordStopped('now'),
  RecordDestroyed: command.RecordDestroyed('now'),
  RecordExecFinished: command.RecordExecFinished('x'),
  RecordFailed: command.RecordFailed('now'),
  'RecordFailed:gone': command.RecordFailed('now', vanished),
  'RecordFailed:exec': command.RecordFailed('x', vanished),
  RecordCancelled: command.RecordCancelled('now'),
  'RecordCancelled:exec': command.RecordCancelled('x'),
  RecordTimedOut: command.RecordTimedOut('now'),
  'RecordTimedOut:exec': command.RecordTimedOut('x'),
  ReassignPort: command.ReassignPort('now'),
  OrderStop: command.OrderStop('new'),
  'OrderStop:admin': command.OrderStop('new', orderOf('administrator')),
  OrderStart: command.OrderStart('new'),
  ChangePassword: command.ChangePassword('new'),
  UpdateKeys: command.UpdateKeys('new'),
  RecordAccessUpdated: command.RecordAccessUpdated('u'),
  'RecordFailed:access': command.RecordFailed('u'),
  RecordExited: command.RecordExited('new'),
  'RecordExited:host': command.RecordExited('new', 1, 'host-restarted'),
  RecordFoundRunning: command.RecordFoundRunning('new'),
  RecordVanished: command.RecordVanished('new'),
  RecordOutOfMemory: command.RecordOutOfMemory('new'),
  'RecordDiskUse:warn': command.RecordDiskUse('new', { share: 0.9 }),
  'RecordDiskUse:stop': command.RecordDiskUse('new', { when: '2026-01-01T00:10:00.000Z' }),
};

const table = `
                      none                creating            starting            restarting          running             busy                updating            stopping            pausing             paused              stopped             destroying          destroyed           failed              lost
RequestVm             requested           !                   !                   !                   !                   !                   !                   !                   !                   !                   !                   !                   !                   !                   !
StartVm               !                   !                   !                   !                   !                   !                   !                   !                   !                   start               start               !                   !                   !                   !
RestartVm             !                   !                   !                   !                   restart             restart             failed+restart      !                   !                   restart             restart             !                   !                   !                   !
StopVm                !                   !                   !                   !                   stop                stop                stop                !                   !                   !                   !                   !                   !                   !                   !
DestroyVm             !                   cancelled+destroy   cancelled+destroy   cancelled+destroy   destroy             cancelled+destroy   cancelled+destroy   cancelled+destroy   cancelled+destroy   destroy             destroy             !                   !                   destroy             destroy
RequestExec           !                   !                   !                   !                   exec                exec                exec                !                   !                   !                   !                   !                   !                   !                   !
RequestExec:again     !                   !                   !                   !                   exec                !operation-known    exec                !                   !                   !                   !                   !                   !                   !                   !
CancelOperation       !operation-ended    cancelled+destroy   cancelled+stop      cancelled+stop      !operation-ended    !operation-ended    !operation-ended    !not-cancellable    !not-cancellable    !operation-ended    !operation-ended    !not-cancellable    !operation-ended    !operation-ended    !operation-ended
CancelOperation:exec  !operation-ended    !operation-ended    !operation-ended    !operation-ended    !operation-ended    execcancel          !operation-ended    !operation-ended    !operation-ended    !operation-ended    !operation-ended    !operation-ended    !operation-ended    !operation-ended    !operation-ended
RecordCreated         -                   created             -                   -                   -                   -                   -                   -                   -                   -                   -                   -                   -                   -                   -
RecordStarted         -                   -                   started             -                   -                   -                   -                   -                   -                   -                   -                   -                   -                   -                   -
RecordRestarted       -                   -                   -                   restarted           -                   -                   -                   -                   -                   -                   -                   -                   -                   -                   -
RecordStopped         -                   -                   -                   -                   -                   -                   -                   stopped             stopped             -                   -                   -                   -                   -                   -
RecordDestroyed       -                   -                   -                   -                   -                   -                   -                   -                   -                   -                   -                   destroyed           -                   -                   -
RecordExecFinished    -                   -                   -                   -                   -                   done                -                   -                   -                   -                   -                   -                   -                   -                   -
RecordFailed          -                   failed              failed              failed              -                   -                   -                   failed              failed              -                   -                   failed              -                   -                   -
RecordFailed:gone     -                   failed              failed+lost         failed+lost         -                   -                   -                   failed+lost         failed+lost         -                   -                   failed              -                   -                   -
RecordFailed:exec     -                   -                   -                   -                   -                   failed              -                   -                   -                   -                   -                   -                   -                   -                   -
RecordCancelled       -                   -                   -                   -                   -                   -                   -                   -                   -                   -                   -                   -                   -                   -                   -
RecordCancelled:exec  -                   -                   -                   -                   -                   cancelled           -                   -                   -                   -                   -                   -                   -                   -                   -
RecordTimedOut        -                   late                late                late                -                   -                   -                   late                late                -                   -                   late                -                   -                   -
RecordTimedOut:exec   -                   -                   -                   -                   -                   late                -                   -                   -                   -                   -                   -                   -                   -                   -
ReassignPort          -                   port                -                   -                   -                   -                   -                   -                   -                   -                   -                   -                   -                   -                   -
OrderStop             -                   stopplan            stopplan            stopplan            stop                stop                stop                -                   -                   -                   -                   -                   -                   -                   -
OrderStop:admin       -                   stopplan            stopplan            stopplan            stop                stop                stop                -                   left                left                -                   -                   -                   -                   -
OrderStart            -                   -                   -                   -                   -                   -                   -                   -                   startplan           start               -                   -                   -                   -                   -
ChangePassword        !                   !                   !                   !                   access              access              access              !                   !                   password            password            !                   !                   !                   !
UpdateKeys            -                   accessplan          accessplan          accessplan          access              access              access              -                   -                   -                   -                   -                   -                   -                   -
RecordAccessUpdated   -                   -                   -                   -                   -                   -                   updated             -                   -                   -                   -                   -                   -                   -                   -
RecordFailed:access   -                   -                   -                   -                   -                   -                   failed              -                   -                   -                   -                   -                   -                   -                   -
RecordExited          -                   -                   -                   -                   exited              failed+exited       failed+exited       -                   -                   -                   -                   -                   -                   -                   -
RecordExited:host     -                   -                   -                   -                   exited+start        failed+exited+start failed+exited+start -                   -                   -                   -                   -                   -                   -                   -
RecordFoundRunning    -                   -                   -                   -                   -                   -                   -                   -                   -                   stop                stop                -                   -                   -                   -
RecordVanished        -                   -                   -                   -                   lost                failed+lost         failed+lost         -                   -                   lost                lost                -                   -                   -                   -
RecordOutOfMemory     -                   -                   -                   -                   memory              memory              memory              -                   -                   -                   -                   -                   -                   -                   -
RecordDiskUse:warn    -                   -                   -                   -                   disklow             disklow             disklow             -                   -                   -                   -                   -                   -                   -                   -
RecordDiskUse:stop    -                   -                   -                   -                   stop                stop                stop                -                   -                   -                   -                   -                   -                   -                   -
`;

const [head = [], ...body] = table
  .trim()
  .split('\n')
  .map((line) => line.trim().split(/\s+/));
const cells = body.flatMap(([row = '', ...expected]) =>
  expected.map((cell, index) => ({ row, situation: head[index]!, cell })),
);

describe('a VM', () => {
  it.each(cells)('$situation, $row → $cell', ({ row, situation, cell }) => {
    const state = situations[situation]!.reduce(vm.evolve, vm.initialState);
    const decide = () => vm.decide(seenNow(rows[row]!, state.epoch), state).map(({ type }) => type);
    if (!cell.startsWith('!')) {
      const expected = cell === '-' ? [] : cell.split('+').map((word) => words[word]);
      return expect(decide()).toEqual(expected);
    }
    const code = cell === '!' ? `vm-${state.status}` : cell.slice(1);
    given(situations[situation]!).when(rows[row]!).thenThrows(code);
  });

  it('has a cell for every command in every state', () => {
    const wanted = Object.keys(rows).flatMap((row) =>
      Object.keys(situations).map((name) => `${row} ${name}`),
    );
    expect(cells.map(({ row, situation }) => `${row} ${situation}`)).toEqual(wanted);
    const tested = new Set(Object.values(rows).map(({ type }) => type));
    expect([...tested].sort()).toEqual(Object.keys(command).sort());
    const reached = Object.values(situations).map(
      (history) => history.reduce(vm.evolve, vm.initialState).status,
    );
    // Some of them twice: a VM that restarts is `starting`, one that runs a command is `running`.
    expect(new Set(reached).size).toBe(10);
  });
});
