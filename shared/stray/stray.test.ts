import { describe, expect, it } from 'vitest';
import { specificationFor } from '../specification.ts';
import { type Stray, type StrayEvent, strays } from './stray.ts';
import { someThing } from './testing/things.ts';
import { thingKey } from './thing.ts';

const given = specificationFor(strays);
const at = '2026-01-01T00:00:00.000Z';
const onHost = { host: 'local', at };
const container: Stray = { ...someThing(), reason: 'unknown-vm' };
const volume: Stray = { ...someThing({ kind: 'volume' }), reason: 'unknown-vm' };
const elsewhere: Stray = { ...someThing({ vmId: 'other' }), reason: 'other-host' };

const found = (...list: Stray[]): StrayEvent => ({ type: 'StraysFound', data: { ...onHost, strays: list } });
const gone = (...list: Stray[]): StrayEvent => ({
  type: 'StraysGone',
  data: { ...onHost, keys: list.map(thingKey) },
});
const look = (present: Stray[] | null, certain: Stray[] = present ?? []) =>
  ({
    type: 'RecordStrays',
    data: { ...onHost, present: present?.map(thingKey) ?? null, certain },
  }) as const;
const removal = { ...onHost, operationId: 'r1' };
const request = (...list: Stray[]) =>
  ({ type: 'RequestStrayRemoval', data: { ...removal, keys: list.map(thingKey), by: 1 } }) as const;
const requested = (...list: Stray[]): StrayEvent => ({
  type: 'StrayRemovalRequested',
  data: { ...removal, strays: list, by: 1 },
});
const removed: StrayEvent = { type: 'StraysRemoved', data: removal };
const reason = { code: 'docker-refused' as const, detail: 'in use' };

describe('what a look finds', () => {
  it('is told once, for as long as it is there', () => {
    given([])
      .when(look([container]))
      .then([found(container)]);
    given([found(container)])
      .when(look([container]))
      .then([]);
    given([found(container)])
      .when(look([container, volume]))
      .then([found(volume)]);
  });

  it('is not told before it is certain, nor forgotten for being uncertain again', () => {
    given([])
      .when(look([container], []))
      .then([]);
    given([found(container)])
      .when(look([container], []))
      .then([]);
  });

  it('is told anew when it has been gone in between, or is out of place for another reason', () => {
    given([found(container)])
      .when(look([]))
      .then([gone(container)]);
    given([found(container), gone(container)])
      .when(look([container]))
      .then([found(container)]);
    const lost: Stray = { ...container, reason: 'lost-vm' };
    given([found(container)])
      .when(look([lost]))
      .then([found(lost)]);
  });

  it('says nothing of what is missing where not all was looked at', () => {
    given([found(container)])
      .when(look(null, [volume]))
      .then([found(volume)]);
  });
});

describe('a removal', () => {
  it('is of what was told and is still there', () => {
    given([found(container, volume)])
      .when(request(container, volume))
      .then([requested(container, volume)]);
    given([found(container), gone(container)])
      .when(request(container))
      .thenThrows('strays-gone');
    given([]).when(request(container)).thenThrows('strays-gone');
  });

  it('is of nothing that a VM somewhere has', () => {
    given([found(container, elsewhere)])
      .when(request(container, elsewhere))
      .then([requested(container)]);
    given([found(elsewhere)])
      .when(request(elsewhere))
      .thenThrows('strays-gone');
  });

  it('is not begun twice at once', () => {
    given([found(container, volume), requested(container)])
      .when(request(container, volume))
      .then([requested(volume)]);
  });

  it('ends once, in whatever way', () => {
    const before = [found(container), requested(container)];
    given(before).when({ type: 'RecordStraysRemoved', data: removal }).then([removed]);
    given(before)
      .when({ type: 'RecordStrayRemovalFailed', data: { ...removal, reason } })
      .then([{ type: 'StrayRemovalFailed', data: { ...removal, reason } }]);
    given(before)
      .when({ type: 'RecordStrayRemovalTimedOut', data: removal })
      .then([{ type: 'StrayRemovalTimedOut', data: removal }]);
    for (const type of ['RecordStraysRemoved', 'RecordStrayRemovalTimedOut'] as const) {
      given([...before, removed])
        .when({ type, data: removal })
        .then([]);
      given([]).when({ type, data: removal }).then([]);
    }
  });

  it('that failed can be asked for again, and what was removed is told when it is there once more', () => {
    given([found(container), requested(container), { type: 'StrayRemovalTimedOut', data: removal }])
      .when(request(container))
      .then([requested(container)]);
    given([found(container), requested(container), removed])
      .when(look([container]))
      .then([found(container)]);
  });

  it('tells by its own end that things are gone, not by a look beside it', () => {
    given([found(container), requested(container)])
      .when(look([]))
      .then([]);
  });
});

describe('the same thing', () => {
  it('is told by what Docker calls it; a volume made anew is another one', () => {
    const anew = { ...volume, createdAt: '2026-02-02T00:00:00.000Z' };
    expect(thingKey(anew)).not.toBe(thingKey(volume));
    expect(thingKey({ ...container, name: 'renamed' })).toBe(thingKey(container));
  });
});
