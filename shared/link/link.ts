import { type Decider, IllegalStateError, type Message } from '../decider.ts';
import type { Failure } from '../vm/failure.ts';

/**
 * A link that somebody asked for: into a terminal of one of their VMs, or to the queues. Getting it is an operation of its
 * own, because a tunnel may have to be opened first. Whoever holds the link is another matter: the ticket in it is no part
 * of this.
 */

export type LinkPurpose = 'terminal' | 'dashboard';
type Outcome = { operationId: string; at: string };

export type LinkRequested = Message<
  'LinkRequested',
  Outcome & { purpose: LinkPurpose; userId: number; vmId: string | null }
>;
/** `way`: by which the link leads to the gateway; `note`: why not by a better one. */
export type LinkOffered = Message<
  'LinkOffered',
  Outcome & { origin: string; way: string; note: string | null }
>;
export type LinkFailed = Message<'LinkFailed', Outcome & { reason: Failure }>;
export type LinkTimedOut = Message<'LinkTimedOut', Outcome>;
export type LinkEvent = LinkRequested | LinkOffered | LinkFailed | LinkTimedOut;

export type RequestLink = Message<'RequestLink', LinkRequested['data']>;
/** Outcomes are delivered at least once: one that no longer fits yields no event. */
export type RecordLinkOffered = Message<'RecordLinkOffered', LinkOffered['data']>;
export type RecordLinkFailed = Message<'RecordLinkFailed', LinkFailed['data']>;
export type RecordLinkTimedOut = Message<'RecordLinkTimedOut', LinkTimedOut['data']>;
export type LinkCommand = RequestLink | RecordLinkOffered | RecordLinkFailed | RecordLinkTimedOut;

export type Link = Readonly<{ status: 'none' | 'open' | 'ended' }>;

export const initialState: Link = { status: 'none' };

export const evolve = (_link: Link, { type }: LinkEvent): Link => ({
  status: type === 'LinkRequested' ? 'open' : 'ended',
});

export const decide = ({ type, data }: LinkCommand, { status }: Link): LinkEvent[] => {
  switch (type) {
    case 'RequestLink':
      if (status !== 'none') throw new IllegalStateError('operation-known', 'the link was asked for already');
      return [{ type: 'LinkRequested', data }];
    case 'RecordLinkOffered':
      return status === 'open' ? [{ type: 'LinkOffered', data }] : [];
    case 'RecordLinkFailed':
      return status === 'open' ? [{ type: 'LinkFailed', data }] : [];
    case 'RecordLinkTimedOut':
      return status === 'open' ? [{ type: 'LinkTimedOut', data }] : [];
  }
};

export const link: Decider<Link, LinkCommand, LinkEvent> = { initialState, decide, evolve };

export const linkStream = (operationId: string): string => `link-${operationId}`;
