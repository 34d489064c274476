import { describe, expect, it } from 'vitest';
import { specificationFor } from '../specification.ts';
import { vm } from './decider.ts';
import type { VmEvent } from './events.ts';
import { GIB } from './limits.ts';
import {
  at,
  command,
  happened,
  ids,
  maintenance,
  orderOf,
  refusedByDocker,
  vmId,
} from './testing/history.ts';

/** What the table of commands and states does not show: the data, the order, and longer stories. */

const given = specificationFor(vm);
const { requested, created, execRequested, execEnded, cancelled, timedOut } = happened;
const { stopRequested, restartRequested, destroyRequested } = happened;
const running: VmEvent[] = [requested(), created()];
const busy: VmEvent[] = [...running, execRequested('x'), execRequested('y')];
const statusAfter = (history: VmEvent[]) => history.reduce(vm.evolve, vm.initialState);

describe('epochs', () => {
  it('begin with one and grow with each lifecycle operation', () => {
    given([])
      .when(command.RequestVm('now'))
      .then([requested(1)]);
    given(running)
      .when(command.StopVm('now'))
      .then([stopRequested(2)]);
    given([...running, stopRequested(2)])
      .when(command.DestroyVm('gone'))
      .then([cancelled('stop'), destroyRequested(3, 'gone')]);
  });

  it('grow when a creation goes on with another port', () => {
    given([requested(1)])
      .when(command.ReassignPort('now', 22_007))
      .then([happened.portReassigned(2, 22_007)]);
    expect(statusAfter([requested(1), happened.portReassigned(2, 22_007)])).toMatchObject({
      status: 'creating',
      epoch: 2,
      sshPort: 22_007,
      operation: { id: 'now', kind: 'create' },
    });
  });
});

describe('cancelling', () => {
  it('a creation leaves nothing behind', () =>
    given([requested()])
      .when(command.CancelOperation('now', 'undo'))
      .then([cancelled('create'), destroyRequested(2, 'undo')]));

  it('a restart ends in a stopped VM, and its commands end with it', () => {
    const history = [...busy, restartRequested(2), cancelled('restart'), stopRequested(3, 'undo')];
    given(busy.concat(restartRequested(2)))
      .when(command.CancelOperation('now', 'undo'))
      .then(history.slice(-2));
    given(history)
      .when(command.RecordStopped('undo'))
      .then([execEnded('x'), execEnded('y'), { type: 'VmStopped', data: ids('undo') }]);
  });

  it('a command asks its worker, once, and waits for the word of it', () => {
    const asked = [...busy, happened.execCancelRequested('x')];
    given(busy).when(command.CancelOperation('x')).then(asked.slice(-1));
    given(asked).when(command.CancelOperation('x')).then([]);
    given(asked)
      .when(command.RecordCancelled('x'))
      .then([cancelled('exec', 'x')]);
  });

  it('a command that ended before the word arrived has ended as it did', () =>
    given([...busy, happened.execCancelRequested('x')])
      .when(command.RecordExecFinished('x'))
      .then([happened.execFinished('x')]));

  it('another operation than the one in flight is refused', () =>
    given([...running, stopRequested(2)])
      .when(command.CancelOperation('older'))
      .thenThrows('operation-ended'));
});

describe('destroying', () => {
  it('cancels what is in flight, the commands too, and wins', () =>
    given([...busy, restartRequested(2)])
      .when(command.DestroyVm('gone'))
      .then([
        cancelled('restart'),
        cancelled('exec', 'x'),
        cancelled('exec', 'y'),
        destroyRequested(3, 'gone'),
      ]));

  it('outruns the outcome of what it cancelled', () => {
    const history = [...running, restartRequested(2), cancelled('restart'), destroyRequested(3, 'gone')];
    given(history).when(command.RecordRestarted('now')).then([]);
    given(history).when(command.RecordFailed('now')).then([]);
    given(history)
      .when(command.RecordDestroyed('gone'))
      .then([{ type: 'VmDestroyed', data: ids('gone') }]);
  });

  it('can be asked for again after it failed', () => {
    const failed = [...running, destroyRequested(2), happened.failed('destroy')];
    expect(statusAfter(failed)).toMatchObject({ status: 'failed', operation: null });
    given(failed)
      .when(command.DestroyVm('again'))
      .then([destroyRequested(3, 'again')]);
  });
});

describe('commands of /exec', () => {
  it.each([
    ['the VM is stopped', stopRequested(2), command.RecordStopped('now'), happened.stopped()],
    ['the VM was restarted', restartRequested(2), command.RecordRestarted('now'), happened.restarted()],
    ['a restart fails', restartRequested(2), command.RecordFailed('now'), happened.failed('restart')],
    ['a restart takes too long', restartRequested(2), command.RecordTimedOut('now'), timedOut('restart')],
  ])('end when %s, with the reason', (_what, request, outcome, event) =>
    given([...busy, request])
      .when(outcome)
      .then([execEnded('x'), execEnded('y'), event]),
  );

  it('end when the VM exits or vanishes', () => {
    given(busy)
      .when(command.RecordExited('new'))
      .then([execEnded('x'), execEnded('y'), happened.exited()]);
    given(busy)
      .when(command.RecordVanished('new'))
      .then([execEnded('x'), execEnded('y'), happened.lost()]);
  });

  it('go on when a stop did not succeed', () => {
    for (const event of [happened.failed('stop'), timedOut('stop')]) {
      expect(statusAfter([...busy, stopRequested(2), event])).toMatchObject({
        status: 'running',
        execs: { x: 'running', y: 'running' },
      });
    }
  });

  it('may finish while the VM is about to stop', () =>
    given([...busy, stopRequested(2)])
      .when(command.RecordExecFinished('x'))
      .then([happened.execFinished('x')]));

  it('fail with their own reason and leave the VM as it is', () => {
    given(busy)
      .when(command.RecordFailed('x', refusedByDocker))
      .then([
        {
          type: 'OperationFailed',
          data: { operationId: 'x', vmId, at, kind: 'exec', reason: refusedByDocker },
        },
      ]);
    expect(statusAfter([...busy, execEnded('x')])).toMatchObject({
      status: 'running',
      execs: { y: 'running' },
    });
  });
});

describe('an id that is in flight', () => {
  it.each([
    'RestartVm',
    'StopVm',
    'DestroyVm',
    'RequestExec',
    'OrderStop',
    'OrderStart',
    'ChangePassword',
    'UpdateKeys',
  ] as const)('is refused by %s', (name) =>
    given(busy).when(command[name]('x')).thenThrows('operation-known'),
  );

  it('is refused for the undoing of a cancelled operation', () =>
    given([...busy, restartRequested(2)])
      .when(command.CancelOperation('now', 'now'))
      .thenThrows('operation-known'));
});

it('a VM whose container vanished under an operation is lost, once that operation has failed', () => {
  const gone = { code: 'container-vanished', detail: '' } as const;
  given([...running, stopRequested(2)])
    .when(command.RecordFailed('now', gone))
    .then([happened.failed('stop', gone), happened.lost()]);
});

it('a VM keeps its owner, name, host, limits and port to the end', () => {
  const facts = { owner: 42, name: 'box', host: 'local', sshPort: 22_000 };
  expect(statusAfter([...running, destroyRequested(2), happened.destroyed()])).toMatchObject(facts);
});

describe('maintenance', () => {
  const pausing = [...running, stopRequested(2, 'pause', maintenance)];
  const paused: VmEvent[] = [...pausing, { type: 'VmStopped', data: ids('pause') }];
  const forced = orderOf('administrator');

  it('stops what runs and starts it again', () => {
    given(running)
      .when(command.OrderStop('pause'))
      .then([stopRequested(2, 'pause', maintenance)]);
    given(paused)
      .when(command.OrderStart('resume'))
      .then([happened.startRequested(3, 'resume', maintenance)]);
  });

  it('stops what is on its way up as soon as it is there', () => {
    const planned = [requested(), happened.stopPlanned(maintenance, 'pause')];
    given([requested()])
      .when(command.OrderStop('pause'))
      .then([happened.stopPlanned(maintenance, 'pause')]);
    given(planned)
      .when(command.RecordCreated('now'))
      .then([created(), stopRequested(2, 'pause', maintenance)]);
    given(planned).when(command.OrderStart('resume')).then([happened.planDropped()]);
    given([...planned, happened.planDropped()])
      .when(command.RecordCreated('now'))
      .then([created()]);
  });

  it('starts what is on its way down as soon as it is there', () => {
    const planned = [...pausing, happened.startPlanned(maintenance, 'resume')];
    given(pausing)
      .when(command.OrderStart('resume'))
      .then([happened.startPlanned(maintenance, 'resume')]);
    given(planned)
      .when(command.RecordStopped('pause'))
      .then([{ type: 'VmStopped', data: ids('pause') }, happened.startRequested(3, 'resume', maintenance)]);
    given(planned).when(command.OrderStop('again')).then([happened.planDropped()]);
  });

  it('forgets a VM whose stop failed: it runs on', () => {
    const failed: VmEvent = {
      type: 'OperationFailed',
      data: { ...ids('pause'), kind: 'stop', reason: refusedByDocker },
    };
    expect(statusAfter([...pausing, happened.startPlanned(maintenance), failed])).toMatchObject({
      status: 'running',
      paused: false,
      planned: { start: null },
    });
  });

  it('does not start what an administrator wanted stopped meanwhile', () => {
    given(paused)
      .when(command.OrderStop('force', forced))
      .then([happened.leftStopped(forced)]);
    given([...paused, happened.leftStopped(forced)])
      .when(command.OrderStart('resume'))
      .then([]);
    given([...pausing, happened.startPlanned(maintenance), happened.leftStopped(forced)])
      .when(command.RecordStopped('pause'))
      .then([{ type: 'VmStopped', data: ids('pause') }]);
  });

  it('gives way to an order that nothing takes back, and never the other way round', () => {
    const first = [requested(), happened.stopPlanned(maintenance, 'pause')];
    given(first)
      .when(command.OrderStop('force', forced))
      .then([happened.planDropped(), happened.stopPlanned(forced, 'force')]);
    given([...first, happened.stopPlanned(forced, 'force')])
      .when(command.OrderStop('pause-2'))
      .then([]);
    given([...first, happened.stopPlanned(forced, 'force')])
      .when(command.OrderStart('resume'))
      .then([]);
  });

  it('leaves alone what its owner stopped', () =>
    given([...running, stopRequested(2), happened.stopped()])
      .when(command.OrderStart('resume'))
      .then([]));

  it('drops its plans when the operation that they wait for ends otherwise', () => {
    const planned = [requested(), happened.stopPlanned(maintenance, 'pause')];
    given(planned)
      .when(command.RecordFailed('now'))
      .then([happened.planDropped(), happened.failed('create')]);
    given(planned)
      .when(command.CancelOperation('now', 'undo'))
      .then([happened.planDropped(), cancelled('create'), destroyRequested(2, 'undo')]);
    given(planned)
      .when(command.DestroyVm('gone'))
      .then([happened.planDropped(), cancelled('create'), destroyRequested(2, 'gone')]);
    given([...pausing, happened.startPlanned(maintenance)])
      .when(command.RecordTimedOut('pause'))
      .then([happened.planDropped(), timedOut('stop', 'pause')]);
  });

  it('plans survive another port, and nothing else that ends the creation', () => {
    const planned = [requested(), happened.stopPlanned(maintenance, 'pause')];
    expect(statusAfter([...planned, happened.portReassigned(2, 22_007)]).planned.stop).not.toBeNull();
    expect(statusAfter([...planned, happened.failed('create')]).planned.stop).toBeNull();
  });
});

describe('password and keys', () => {
  it('reach a VM that comes up meanwhile once it is up', () => {
    const planned = [requested(), happened.accessPlanned('keys')];
    given([requested()])
      .when(command.UpdateKeys('keys'))
      .then([happened.accessPlanned('keys')]);
    given(planned)
      .when(command.RecordCreated('now'))
      .then([created(), happened.accessRequested('keys')]);
    given([...planned, happened.stopPlanned(maintenance, 'pause')])
      .when(command.RecordCreated('now'))
      .then([created(), stopRequested(2, 'pause', maintenance)]);
  });

  it('end with the VM', () =>
    given([...running, happened.accessRequested(), stopRequested(2)])
      .when(command.RecordStopped('now'))
      .then([happened.accessEnded(), happened.stopped()]));

  it('end with a restart as soon as it is asked for: it brings what holds then', () =>
    given([...running, happened.accessRequested()])
      .when(command.RestartVm('now'))
      .then([happened.accessEnded(), restartRequested(2)]));

  it('cannot be called back', () =>
    given([...running, happened.accessRequested()])
      .when(command.CancelOperation('u'))
      .thenThrows('not-cancellable'));
});

describe('a VM whose disk fills up', () => {
  const later = '2026-01-01T00:10:00.000Z';
  const low = [...running, happened.diskRanLow(0.9)];
  const use = (share: number, more = {}) => command.RecordDiskUse('stop', { share, when: later, ...more });
  const full = (share: number) => ({
    ...orderOf('disk-full'),
    by: null,
    batchId: null,
    usedBytes: share * 100 * GIB,
  });

  it('is told of at nine tenths, once', () => {
    given(running).when(use(0.89)).then([]);
    given(running)
      .when(use(0.9))
      .then([happened.diskRanLow(0.9, later)]);
    for (const share of [0.85, 0.9, 1.09]) given(low).when(use(share)).then([]);
  });

  it('is told of again only after it had room', () => {
    given(low)
      .when(use(0.84))
      .then([happened.diskEased(0.84, later)]);
    given([...low, happened.diskEased(0.84)])
      .when(use(0.95))
      .then([happened.diskRanLow(0.95, later)]);
    given(low)
      .when(use(0.84, { complete: false }))
      .then([]);
  });

  it('is stopped at eleven tenths, whether it was told of or not, also where not all was counted', () => {
    for (const history of [running, low]) {
      given(history)
        .when(use(1.1, { complete: false }))
        .then([{ type: 'VmStopRequested', data: { ...ids('stop'), at: later, epoch: 2, order: full(1.1) } }]);
    }
  });

  it('is left time to clean up after each start, and told of that it is full', () => {
    const soon = '2026-01-01T00:09:59.999Z';
    given(running)
      .when(use(1.5, { when: soon }))
      .then([happened.diskRanLow(1.5, soon)]);
    given(low)
      .when(use(1.5, { when: soon }))
      .then([]);
    const stopped = [
      ...running,
      stopRequested(2, 'stop', full(1.5)),
      { ...happened.stopped(), data: ids('stop') } as VmEvent,
    ];
    const again = [
      ...stopped,
      happened.startRequested(3),
      { type: 'VmStarted', data: { ...ids('now'), at: later } } as VmEvent,
    ];
    expect(statusAfter(again)).toMatchObject({ status: 'running', diskLow: true });
    given(again)
      .when(use(1.5, { epoch: 3 }))
      .then([]);
    given(again)
      .when(use(1.5, { epoch: 3, when: '2026-01-01T00:20:00.000Z' }))
      .then([
        {
          type: 'VmStopRequested',
          data: { ...ids('stop'), at: '2026-01-01T00:20:00.000Z', epoch: 4, order: full(1.5) },
        },
      ]);
  });

  it('is not judged by what was measured before its newest start', () =>
    given([...running, restartRequested(2), happened.restarted()])
      .when(use(1.5))
      .then([]));
});

describe('what was seen on the host', () => {
  it('says nothing about a VM that has begun something since', () => {
    const restarted = [...running, restartRequested(2), happened.restarted()];
    given(restarted).when(command.RecordExited('new', 1)).then([]);
    given(restarted).when(command.RecordVanished('new', 1)).then([]);
  });

  it('brings a VM up again that went down with its host', () =>
    given(running)
      .when(command.RecordExited('again', 1, 'host-restarted'))
      .then([
        happened.exited('host-restarted'),
        happened.startRequested(2, 'again', {
          reason: 'host-restarted',
          by: null,
          note: null,
          batchId: null,
        }),
      ]));

  it('tells of lacking memory once in ten minutes', () => {
    const told: VmEvent = { type: 'VmRanOutOfMemory', data: { vmId, at } };
    given([...running, told])
      .when(command.RecordOutOfMemory(''))
      .then([]);
    const later = '2026-01-01T00:10:00.000Z';
    given([...running, told])
      .when(command.RecordOutOfMemory('', later))
      .then([{ type: 'VmRanOutOfMemory', data: { vmId, at: later } }]);
  });
});
