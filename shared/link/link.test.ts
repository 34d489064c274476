import { describe, it } from 'vitest';
import { specificationFor } from '../specification.ts';
import { type LinkEvent, link } from './link.ts';

const given = specificationFor(link);
const ids = { operationId: 'l1', at: '2026-01-01T00:00:00.000Z' };
const request = { ...ids, purpose: 'terminal', userId: 7, vmId: 'v1' } as const;
const offer = { ...ids, origin: 'https://a.example', way: 'quick', note: null };
const reason = { code: 'tunnel-unavailable', detail: '' } as const;
const requested: LinkEvent = { type: 'LinkRequested', data: request };

describe('a link', () => {
  it('is asked for once', () => {
    given([]).when({ type: 'RequestLink', data: request }).then([requested]);
    given([requested]).when({ type: 'RequestLink', data: request }).thenThrows('operation-known');
  });

  it('ends once, in whatever way', () => {
    const ends = [
      [
        { type: 'RecordLinkOffered', data: offer },
        { type: 'LinkOffered', data: offer },
      ],
      [
        { type: 'RecordLinkFailed', data: { ...ids, reason } },
        { type: 'LinkFailed', data: { ...ids, reason } },
      ],
      [
        { type: 'RecordLinkTimedOut', data: ids },
        { type: 'LinkTimedOut', data: ids },
      ],
    ] as const;
    for (const [outcome, event] of ends) {
      given([requested]).when(outcome).then([event]);
      for (const [, ended] of ends) given([requested, ended]).when(outcome).then([]);
    }
    given([]).when({ type: 'RecordLinkTimedOut', data: ids }).then([]);
  });
});
