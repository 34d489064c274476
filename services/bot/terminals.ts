import { redisNow } from '../../queues/lately.ts';
import type { Producer } from '../../queues/producer.ts';
import { type OpenTerminalEntry, type Revocation, readTerminals, revoke } from '../../queues/tickets.ts';
import type { Event } from '../../shared/event-store/schema.ts';
import type { Log } from '../../shared/log.ts';
import type { DomainEvent } from './store/domain-event.ts';

/**
 * Terminals in browsers, as far as the bot has a say: it knows which are open as of some seconds ago, and voids what was
 * granted when a VM stops or somebody is removed. That a VM's end also ends its terminals is the worker's doing.
 */

type Dependencies = {
  producer: Pick<Producer, 'redis' | 'isReady'>;
  instance: string;
  log: Log;
  now?: () => Date;
};

/** Milliseconds. */
const readEvery = 5_000;
const retryEvery = 1_000;

type Cause = Omit<Revocation, 'at'>;

const stopReason = (reason: string | undefined): Revocation['reason'] => {
  if (reason === 'maintenance') return 'maintenance';
  return reason === 'user-removed' ? 'user-removed' : 'vm-stopped';
};

/** What an event makes void. */
const voidedBy = ({ type, data }: DomainEvent): Cause | null => {
  switch (type) {
    case 'VmStopRequested':
      return { vmId: data.vmId, userId: null, reason: stopReason(data.order?.reason) };
    case 'VmExited':
      return { vmId: data.vmId, userId: null, reason: 'vm-stopped' };
    case 'VmDestroyRequested':
    case 'VmLost':
      return { vmId: data.vmId, userId: null, reason: 'vm-destroyed' };
    case 'UserRemoved':
      return { vmId: null, userId: data.userId, reason: 'user-removed' };
    default:
      return null;
  }
};

export const createTerminals = (dependencies: Dependencies) => {
  const { producer, instance, log, now = () => new Date() } = dependencies;
  let open: OpenTerminalEntry[] = [];
  /** What Redis has not taken yet: it must be said all the same. */
  const pending: Revocation[] = [];
  let sending: Promise<void> = Promise.resolve();

  const read = async (): Promise<void> => {
    if (producer.isReady())
      open = await readTerminals(producer.redis, instance, await redisNow(producer.redis));
  };

  const send = async (): Promise<void> => {
    while (pending[0] !== undefined && producer.isReady()) {
      await revoke(producer.redis, instance, pending[0]);
      pending.shift();
    }
  };
  const sendSafely = (): void => {
    sending = sending
      .then(send)
      .catch((err) => log.debug({ err }, 'terminals are closed as soon as Redis is there'));
  };
  const revokeSoon = (cause: Cause): void => {
    pending.push({ ...cause, at: now().toISOString() });
    sendSafely();
  };

  let reading: Promise<void> = Promise.resolve();
  const readSafely = (): Promise<void> => {
    reading = read().catch((err) => log.debug({ err }, 'open terminals are not known'));
    return reading;
  };
  const reader = setInterval(readSafely, readEvery);
  const retrier = setInterval(() => pending.length > 0 && sendSafely(), retryEvery);

  return {
    /** How many terminals are open on a VM. */
    countOf: (vmId: string): number => open.filter((entry) => entry.vmId === vmId).length,
    /** Looks anew. Never rejects. */
    look: readSafely,
    close(vmIds: readonly string[]): void {
      for (const vmId of vmIds) revokeSoon({ vmId, userId: null, reason: 'closed-by-owner' });
    },
    onCommitted(events: readonly Event<DomainEvent>[]): void {
      for (const event of events) {
        const cause = voidedBy(event);
        if (cause !== null) revokeSoon(cause);
      }
    },
    async stop(): Promise<void> {
      clearInterval(reader);
      clearInterval(retrier);
      await Promise.all([sending, reading]);
    },
  };
};

export type Terminals = ReturnType<typeof createTerminals>;
