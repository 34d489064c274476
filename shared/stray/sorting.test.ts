import { describe, expect, it } from 'vitest';
import type { VmStatus } from '../vm/vm.ts';
import { isOwnNetwork, type KnownVm, sortThing } from './sorting.ts';
import { instance, someThing } from './testing/things.ts';
import type { Thing } from './thing.ts';

const known = (status: VmStatus, host = 'local'): KnownVm => ({
  vmId: 'k3j9x2a1',
  status,
  host,
  epoch: 3,
  changedAt: '2026-01-01T00:00:00.000Z',
});
const sort = (thing: Thing, vm: KnownVm | undefined): string => {
  const verdict = sortThing(thing, { instance, host: 'local', vm });
  return verdict.kind === 'stray' ? verdict.reason : verdict.kind;
};

/** What container and volume of a VM in each state are. */
const byStatus: Record<Exclude<VmStatus, 'none'>, [container: string, volume: string]> = {
  creating: ['owned', 'owned'],
  starting: ['owned', 'owned'],
  running: ['owned', 'owned'],
  stopping: ['owned', 'owned'],
  stopped: ['owned', 'owned'],
  destroying: ['owned', 'owned'],
  destroyed: ['leftover', 'leftover'],
  failed: ['leftover', 'leftover'],
  // Its home is kept until its owner destroys it; whose container that is, people must say.
  lost: ['lost-vm', 'owned'],
};

describe('container and volume, named and labelled as Berth does', () => {
  it.each(Object.entries(byStatus))('of a VM that is %s', (status, [container, volume]) => {
    const vm = known(status as VmStatus);
    expect(sort(someThing(), vm)).toBe(container);
    expect(sort(someThing({ kind: 'volume' }), vm)).toBe(volume);
  });

  it.each(Object.keys(byStatus))('of a VM of another host that is %s', (status) => {
    const ended = status === 'destroyed' || status === 'failed';
    for (const kind of ['container', 'volume'] as const) {
      expect(sort(someThing({ kind }), known(status as VmStatus, 'gpu-1'))).toBe(
        ended ? 'leftover' : 'other-host',
      );
    }
  });

  it('of no VM that is known are for people to judge', () => {
    expect(sort(someThing(), undefined)).toBe('unknown-vm');
    expect(sort(someThing({ kind: 'volume' }), undefined)).toBe('unknown-vm');
  });
});

describe('whatever is not as Berth makes it', () => {
  it.each([
    ['without a VM in its labels', { vmId: null }],
    ['with another name than its VM gives it', { name: 'berth-k3j9x2a1-old' }],
    ['of another instance by its name', { name: 'other-k3j9x2a1' }],
    ['without a name', { name: '' }],
  ])('is never a leftover: one %s', (_what, changes) => {
    for (const vm of [undefined, known('running'), known('destroyed'), known('failed')]) {
      expect(sort(someThing(changes), vm)).toBe('misnamed');
      expect(sort(someThing({ kind: 'volume', ...changes }), vm)).toBe('misnamed');
    }
  });
});

describe('a network', () => {
  it.each(['berth', 'berth-2', 'berth-17'])('called %s is the instance’s', (name) => {
    expect(isOwnNetwork(instance, name)).toBe(true);
    expect(sort(someThing({ kind: 'network', name, vmId: null }), undefined)).toBe('owned');
  });

  it.each(['berth-', 'berth-x', 'berth-2b', 'berth2', 'other', 'xberth', ''])('called %s is not', (name) => {
    expect(isOwnNetwork(instance, name)).toBe(false);
    expect(sort(someThing({ kind: 'network', name, vmId: null }), undefined)).toBe('misnamed');
  });

  it('is never a leftover, whatever its labels say', () => {
    expect(sort(someThing({ kind: 'network', name: 'berth-k3j9x2a1' }), known('destroyed'))).toBe('misnamed');
  });
});
