import { describe, expect, it } from 'vitest';
import { specificationFor } from '../specification.ts';
import { vm } from './decider.ts';
import type { VmEvent } from './events.ts';
import { at, command, happened, ids, refusedByDocker, vmId } from './testing/history.ts';

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
      .when(command.RecordExited())
      .then([execEnded('x'), execEnded('y'), happened.exited()]);
    given(busy)
      .when(command.RecordVanished())
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
  it.each(['RestartVm', 'StopVm', 'DestroyVm', 'RequestExec'] as const)('is refused by %s', (name) =>
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
