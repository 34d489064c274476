import type { Kysely, Transaction } from 'kysely';
import type { Event } from '../../../../shared/event-store/schema.ts';
import type { DomainEvent } from '../domain-event.ts';
import type { Database } from '../schema.ts';

type Apply<E extends DomainEvent> = (trx: Transaction<Database>, event: Event<E>) => Promise<void>;

/** A table built from events alone. Dropped, created and filled again, it has the same rows. */
export type Projection = {
  table: 'vms' | 'operations' | 'users' | 'plans' | 'settings';
  create(db: Kysely<Database>): Promise<void>;
  apply: Apply<DomainEvent>;
};

type Handlers = { [Type in DomainEvent['type']]?: Apply<Extract<DomainEvent, { type: Type }>> };

/** For a projection that few kinds of events concern. */
export const onlyFor = (handlers: Handlers): Apply<DomainEvent> => {
  return async (trx, event) => {
    const handler = handlers[event.type] as Apply<DomainEvent> | undefined;
    await handler?.(trx, event);
  };
};
